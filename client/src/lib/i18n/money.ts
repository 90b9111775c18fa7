const formats = new Map<string, Intl.NumberFormat>();

function formatOf(language: string, currency: string): Intl.NumberFormat {
  const name = `${language} ${currency}`;
  let format = formats.get(name);
  if (!format) {
    format = new Intl.NumberFormat(language, {
      style: 'currency',
      currency,
      currencyDisplay: 'narrowSymbol',
      trailingZeroDisplay: 'stripIfInteger',
    });
    formats.set(name, format);
  }
  return format;
}

/**
 * An amount in minor units as text: 8550 EUR is €85.50, 132000 KRW is ₩132,000. How many minor units make one
 * is the currency's own affair (ISO 4217), and Intl knows it.
 */
export function moneyText(amount: number, currency: string, language: string): string {
  const format = formatOf(language, currency);
  const digits = format.resolvedOptions().maximumFractionDigits ?? 0;
  return format.format(amount / 10 ** digits);
}
