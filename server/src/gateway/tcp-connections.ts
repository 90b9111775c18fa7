import { readFileSync } from 'node:fs';
import { addressOfBytes } from '../access/ip-address.ts';

const TABLES = ['/proc/self/net/tcp', '/proc/self/net/tcp6'];
const LISTENING = '0A';
/** What no process has open any more, or yet. */
const NOBODYS = '0';
const WORD = /.{8}/g;

/**
 * The other ends of a port's open connections, by their canonical addresses; null where the system doesn't tell (only
 * Linux does). Reads a line a connection: some 20 ms for 20,000.
 */
export function tcpConnections(port: number): readonly string[] | null {
  try {
    return TABLES.flatMap((table) => peersOf(readFileSync(table, 'latin1'), port));
  } catch {
    return null;
  }
}

/** Columns: number, local and remote address, state, queues, timer, retransmissions, user, time-out, inode. */
function peersOf(table: string, port: number): string[] {
  const ours = `:${port.toString(16).toUpperCase().padStart(4, '0')} `;
  return table
    .split('\n')
    .filter((line) => line.includes(ours))
    .flatMap((line) => {
      const [, local = '', remote = '', state, , , , , , inode] = line.trim().split(/\s+/);
      const isOpen = `${local} `.endsWith(ours) && state !== LISTENING && inode !== NOBODYS;
      return isOpen ? [peerOf(remote)] : [];
    });
}

/** `0100007F:D431`: words of four bytes as the machine keeps them, last byte first, then the port. */
function peerOf(remote: string): string {
  const [address = ''] = remote.split(':');
  const words = address.match(WORD) ?? [];
  return addressOfBytes(Buffer.concat(words.map((word) => Buffer.from(word, 'hex').reverse())));
}
