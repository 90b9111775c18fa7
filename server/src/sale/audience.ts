/** The sockets of this node, by topic. */
export interface Audience {
  publish(topic: string, frame: Uint8Array): void;
  /** Sockets that a publish to this topic reaches. */
  size(topic: string): number;
}
