import type { Dictionary } from '#lib/i18n/en.ts';

/** Words for the code in an order's `reason`; codes of payment services not known here get the general ones. */
export function reasonWords(reason: string, t: Dictionary): string {
  const { reasons } = t.checkout;
  const code = reason.replaceAll('_', '-');
  return code in reasons ? reasons[code as keyof typeof reasons] : reasons.other;
}
