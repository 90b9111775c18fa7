import { Packr } from 'msgpackr';
import type { RefusalCode } from './codes.ts';
import { type Field, FieldError, type Fields, type FieldValues, struct, UINT32_MAX } from './fields.ts';
import { FRAME_BYTES_MAX } from './limits.ts';
import { type ClientMessage, clientMessages, type ServerMessage, serverMessages } from './messages.ts';
import { isPlainFrame } from './plain-frame.ts';

/** A frame that could not be read, in the terms of the `refused` message that answers it. */
export interface Unreadable {
  readonly ok: false;
  readonly code: Extract<RefusalCode, 'malformed' | 'unknown-message' | 'too-large'>;
  readonly detail: string;
  /** The request the frame claims to be, 0 where even that can't be read. */
  readonly requestId: number;
}

export type Decoded<Message> = { readonly ok: true; readonly message: Message } | Unreadable;

interface Entry {
  readonly type: string;
  readonly opcode: number;
  /** Whether it is a request, which has its number in front. */
  readonly isNumbered: boolean;
  readonly body: Field<FieldValues<Fields>>;
}

// Records would let a peer define structures that live on in the decoder; plain MessagePack has no memory.
// Other implementations may write 64-bit integers; `uint` refuses those past 2^53 − 1.
const packr = new Packr({ useRecords: false, int64AsType: 'number' });

type Table = Readonly<Record<string, { readonly opcode: number; readonly fields: Fields }>>;

/** One direction of the table, found by name when encoding and by opcode when decoding. */
class Direction {
  readonly byType = new Map<string, Entry>();
  readonly byOpcode = new Map<unknown, Entry>();

  constructor(table: Table) {
    for (const [type, { opcode, fields }] of Object.entries(table)) {
      const entry = {
        type,
        opcode,
        isNumbered: Object.keys(fields)[0] === 'requestId',
        body: struct(fields),
      };
      this.byType.set(type, entry);
      this.byOpcode.set(opcode, entry);
    }
  }
}

const fromClient = new Direction(clientMessages);
const fromServer = new Direction(serverMessages);

function encode(entry: Entry | undefined, message: Readonly<Record<string, unknown>>): Uint8Array {
  if (!entry) throw new Error(`no such message: ${String(message['type'])}`);
  // The body packs to the list of its fields.
  return packr.pack([entry.opcode, ...(entry.body.pack(message) as readonly unknown[])]);
}

/** A client's message as one binary frame: the array `[opcode, ...fields]` in MessagePack. */
export function encodeClientMessage(message: ClientMessage): Uint8Array {
  return encode(fromClient.byType.get(message.type), message);
}

/** A server's message as one binary frame. The bytes are the caller's own. */
export function encodeServerMessage(message: ServerMessage): Uint8Array {
  return encode(fromServer.byType.get(message.type), message);
}

const NOT_A_VALUE = 'a frame is one MessagePack value of numbers, texts, bytes and arrays';

/** An opcode of no message may be a newer one's, of which nearly all begin with their number. */
function requestIdOf(raw: unknown, entry?: Entry): number {
  if (!Array.isArray(raw) || (entry && !entry.isNumbered)) return 0;
  const id: unknown = raw[1];
  return typeof id === 'number' && Number.isInteger(id) && id > 0 && id <= UINT32_MAX ? id : 0;
}

function unreadable(code: Unreadable['code'], detail: string, raw?: unknown, entry?: Entry): Unreadable {
  return { ok: false, code, detail, requestId: requestIdOf(raw, entry) };
}

function decode(direction: Direction, frame: Uint8Array): Decoded<{ type: string }> {
  let raw: unknown;
  try {
    raw = packr.unpack(frame);
  } catch {
    return unreadable('malformed', NOT_A_VALUE);
  }
  if (!Array.isArray(raw)) return unreadable('malformed', 'a frame is an array [opcode, …fields]');
  const entry = direction.byOpcode.get(raw[0]);
  if (!entry) return unreadable('unknown-message', 'no message has this opcode', raw);
  try {
    return { ok: true, message: { type: entry.type, ...entry.body.read(raw.slice(1)) } };
  } catch (cause) {
    if (!(cause instanceof FieldError)) throw cause;
    return unreadable('malformed', `${entry.type}: ${cause.message}`, raw, entry);
  }
}

/**
 * Reads a frame that came from a client. Nothing in it is believed: size, shape, opcode, every field and every
 * bound are checked, and what does not fit is returned as the refusal to send back.
 */
export function decodeClientFrame(frame: Uint8Array): Decoded<ClientMessage> {
  if (frame.length > FRAME_BYTES_MAX) {
    return unreadable('too-large', `a frame has at most ${FRAME_BYTES_MAX} bytes`);
  }
  if (!isPlainFrame(frame)) return unreadable('malformed', NOT_A_VALUE);
  // The fields were read by the entry of the same table that the type is inferred from.
  return decode(fromClient, frame) as Decoded<ClientMessage>;
}

/** Reads a frame that came from a server. Bytes in the message are views of the frame's own. */
export function decodeServerFrame(frame: Uint8Array): Decoded<ServerMessage> {
  // As above: type and reader come from the same table.
  return decode(fromServer, frame) as Decoded<ServerMessage>;
}
