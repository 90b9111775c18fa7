/** What a seat is to everybody: free to take, claimed for a while, sold, or not for sale. */
export const seatStatusNumbers = { available: 0, held: 1, sold: 2, blocked: 3 } as const;

export type SeatStatus = (typeof seatStatusNumbers)[keyof typeof seatStatusNumbers];
export type SeatStatusName = keyof typeof seatStatusNumbers;

export const AVAILABLE = seatStatusNumbers.available;
export const HELD = seatStatusNumbers.held;
export const SOLD = seatStatusNumbers.sold;
export const BLOCKED = seatStatusNumbers.blocked;

const SEATS_PER_BYTE = 4;
const STATUS_MASK = 0b11;

/** Bytes that `seatCount` packed statuses take. */
export function packedLength(seatCount: number): number {
  return Math.ceil(seatCount / SEATS_PER_BYTE);
}

/** Packs one status a byte into two bits a seat: seat *i* lies in byte `i >> 2`, low bits first (rule 5.2). */
export function packStatuses(statuses: Uint8Array): Uint8Array {
  const packed = new Uint8Array(packedLength(statuses.length));
  for (let seat = 0; seat < statuses.length; seat++) {
    const at = seat >> 2;
    packed[at] = (packed[at] ?? 0) | ((statuses[seat] ?? 0) << ((seat & 3) * 2));
  }
  return packed;
}

/** Reverses `packStatuses`; null if the bytes are not exactly those of `seatCount` seats. */
export function unpackStatuses(packed: Uint8Array, seatCount: number): Uint8Array | null {
  if (packed.length !== packedLength(seatCount)) return null;
  const statuses = new Uint8Array(seatCount);
  for (let seat = 0; seat < seatCount; seat++) {
    statuses[seat] = ((packed[seat >> 2] ?? 0) >> ((seat & 3) * 2)) & STATUS_MASK;
  }
  return statuses;
}
