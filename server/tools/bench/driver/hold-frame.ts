import { clientMessages } from '@stampede/shared/protocol/messages.ts';
import { maskedFrame } from '../../mass/frame-writing.ts';

const UINT32 = 0xce;
const ARRAY_OF_3 = 0x93;
const ARRAY_OF_1 = 0x91;
/** `[hold, requestId, [seat]]`, each number in five bytes, so that others can be written over them. */
const TEMPLATE = [
  ARRAY_OF_3,
  clientMessages.hold.opcode,
  UINT32,
  ...[0, 0, 0, 0],
  ARRAY_OF_1,
  UINT32,
  ...[0, 0, 0, 0],
];
const REQUEST_FROM_END = 10;
const SEAT_FROM_END = 4;

/** A `hold` of one seat as a frame that is filled in again and again. */
export function holdFrame(): Buffer {
  return maskedFrame(Uint8Array.from(TEMPLATE));
}

/** Makes it ask for this seat. */
export function fillHoldFrame(frame: Buffer, requestId: number, seat: number): void {
  frame.writeUInt32BE(requestId, frame.length - REQUEST_FROM_END);
  frame.writeUInt32BE(seat, frame.length - SEAT_FROM_END);
}
