import {
  decodeClientFrame,
  decodeServerFrame,
  encodeClientMessage,
  encodeServerMessage,
} from '@stampede/shared/protocol/codec.ts';
import { anyClientMessage, anyServerMessage } from '@stampede/shared/protocol/testing/message-arbitraries.ts';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Packr } from './message-pack.ts';

const inBrowser = new Packr();
/** Read and written again as a page does; the codec of this test is the server's. */
const throughBrowser = (frame: Uint8Array) => inBrowser.pack(inBrowser.unpack(frame));

describe('MessagePack in the browser', () => {
  it('reads whatever the server writes, and what it writes the server reads', () => {
    fc.assert(
      fc.property(anyServerMessage, anyClientMessage, (fromServer, fromClient) => {
        const heard = decodeServerFrame(throughBrowser(encodeServerMessage(fromServer)));
        expect(heard).toEqual({ ok: true, message: fromServer });
        const said = decodeClientFrame(throughBrowser(encodeClientMessage(fromClient)));
        expect(said).toEqual({ ok: true, message: fromClient });
      }),
    );
  });

  it('reads nothing from half a frame, or from one and a half', () => {
    const frame = encodeClientMessage({ type: 'join', requestId: 1, receipt: null });
    expect(() => inBrowser.unpack(frame.subarray(0, -1))).toThrow();
    expect(() => inBrowser.unpack(Uint8Array.of(...frame, 1))).toThrow();
  });
});
