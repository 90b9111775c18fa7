/** Crockford's alphabet: no I, L, O, U, so that a code can be read out at a door and typed without doubt. */
const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';

/** 80 random bits: among a million tickets the chance that any two are equal is below 10^-12. */
const CODE_LENGTH = 16;

/** The code of a new ticket, unguessable: characters of Crockford's base 32 from the cryptographic generator. */
export function newTicketCode(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(CODE_LENGTH));
  return Array.from(bytes, (byte) => ALPHABET.charAt(byte % ALPHABET.length)).join('');
}
