/**
 * Has the tickets page kept for when there is no network. Only who has tickets needs it, so only they fetch it: a
 * crowd that comes to buy has better use for the line.
 */
export function keepPageForOffline(): void {
  // Where it is not offered or forbidden, the tickets are shown as long as there is a network.
  if (!('serviceWorker' in navigator)) return;
  navigator.serviceWorker.register('/service-worker.js', { type: 'module' }).catch(() => undefined);
}
