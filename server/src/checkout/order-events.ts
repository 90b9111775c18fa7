import type { Order } from './order-store.ts';

/** Tells other systems (mails, accounting, entrance) how orders ended. */
export interface OrderEvents {
  /**
   * Resolves when the outcomes are durable where others read them. Called before an order's outbox record is marked,
   * and again until that has happened: every outcome is told at least once.
   */
  publish(orders: readonly Order[]): Promise<void>;
}
