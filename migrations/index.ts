import type { MigrationObject } from '@mikro-orm/core';
import { FirstTables } from './0001-first-tables.ts';
import { LiveSeats } from './0002-live-seats.ts';
import { ExactKeys } from './0003-exact-keys.ts';
import { Recoveries } from './0004-recoveries.ts';
import { SealedPayments } from './0005-sealed-payments.ts';
import { LiveCheckouts } from './0006-live-checkouts.ts';
import { SeatNotes } from './0007-seat-notes.ts';
import { ShowVersions } from './0008-show-versions.ts';
import { OneRowALiveSeat } from './0009-one-row-a-live-seat.ts';

/**
 * Every migration in the order they run. A released one never changes: what comes later is a new one at the end.
 * Nodes of the version before go on selling while one runs and until they are replaced, so each leaves behind
 * what both versions can work with: first add (columns with defaults, tables, indexes), in a later release take away.
 * One that takes away is named `…-contract-…`: a node that doesn't know it refuses the database.
 * MySQL commits every statement by itself: each must do no harm when an interrupted migration begins again.
 * The list is typed and explicit instead of a folder scan, so that a file that was never listed, or that doesn't
 * compile, is found by the type check and not by the first start of a new version.
 */
export const migrations: readonly MigrationObject[] = [
  { name: '0001-first-tables', class: FirstTables },
  { name: '0002-live-seats', class: LiveSeats },
  { name: '0003-exact-keys', class: ExactKeys },
  { name: '0004-recoveries', class: Recoveries },
  { name: '0005-sealed-payments', class: SealedPayments },
  { name: '0006-live-checkouts', class: LiveCheckouts },
  { name: '0007-seat-notes', class: SeatNotes },
  { name: '0008-show-versions', class: ShowVersions },
  { name: '0009-one-row-a-live-seat', class: OneRowALiveSeat },
];
