const WORKER = '/service-worker.js';

/** The part of Trusted Types that is needed; browsers without it take the plain address. */
interface TrustedTypes {
  createPolicy(
    name: string,
    rules: { createScriptURL: () => string },
  ): { createScriptURL(text: string): string };
}

let asked = false;

/**
 * Has the tickets page kept for when there is no network. Only who has tickets needs it, so only they fetch it: a
 * crowd that comes to buy has better use for the line.
 */
export function keepPageForOffline(): void {
  // Where it is not offered or forbidden, the tickets are shown as long as there is a network.
  if (asked || !('serviceWorker' in navigator)) return;
  asked = true;
  navigator.serviceWorker.register(workerAddress(), { type: 'module' }).catch(() => undefined);
}

/** The page's policy lets no text become a script's address but this one. */
function workerAddress(): string {
  const { trustedTypes } = globalThis as { trustedTypes?: TrustedTypes };
  const policy = trustedTypes?.createPolicy('stampede-worker-url', { createScriptURL: () => WORKER });
  return policy?.createScriptURL(WORKER) ?? WORKER;
}
