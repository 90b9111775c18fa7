/** Makes the code of a new ticket: unguessable, and never the same twice. */
export type NewTicketCode = () => string;

/** Crockford's alphabet: no I, L, O, U, so that a code can be read out at a door and typed without doubt. */
const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';

/** 80 random bits: among a million tickets the chance that any two are equal is below 10^-12. */
const CODE_LENGTH = 16;

/** Random bytes are asked for in this many codes' worth at a time: asking costs more than the bytes. */
const CODES_AHEAD = 64;

const randomBytes = new Uint8Array(CODE_LENGTH * CODES_AHEAD);
let used = randomBytes.length;

/** Sixteen characters of Crockford's base 32 from the platform's cryptographic generator. */
export const newRandomTicketCode: NewTicketCode = () => {
  if (used === randomBytes.length) {
    crypto.getRandomValues(randomBytes);
    used = 0;
  }
  let code = '';
  for (const end = used + CODE_LENGTH; used < end; used++) {
    code += ALPHABET.charAt((randomBytes[used] ?? 0) % ALPHABET.length);
  }
  return code;
};
