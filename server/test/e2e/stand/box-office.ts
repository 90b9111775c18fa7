import { randomBytes } from 'node:crypto';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type SeatMap, seatMapOf } from '@stampede/shared/seat-map/seat-map.ts';
import type { VenueLayout } from '@stampede/shared/seat-map/venue-layout.ts';
import { catalogTables } from '../../../src/catalog/catalog-tables.ts';
import type { SaleTerms, ShowDraft } from '../../../src/catalog/show.ts';
import { SqlCatalogStore } from '../../../src/catalog/sql-catalog-store.ts';
import { loadVenueLayout } from '../../../src/catalog/venue-layout-file.ts';
import { orderTables } from '../../../src/checkout/sql-order-store.ts';
import { paymentLogTable } from '../../../src/payment-log/sql-payment-log.ts';
import { openSqliteDatabase } from '../../../src/platform/database-sqlite.ts';
import { draftOf } from '../../integration/app-stand-show.ts';
import { ServerProcess, type Settings } from '../../../tools/tasks/server-process.ts';
import { freePort } from '../../free-port.ts';

/** A show of a test. Each test sells its own, so that it finds every seat free. */
export interface ShowPlan {
  readonly title: string;
  /** Default: `kiosk`, two sections of twelve seats. */
  readonly venue?: 'kiosk' | 'gaivotas-hall' | 'lindenhof-theatre' | 'loomfield-stadium';
  readonly terms?: Partial<SaleTerms>;
  /** Milliseconds from now until the sale opens; default: it is open. */
  readonly opensInMs?: number;
  readonly lobbyInMs?: number;
}

export interface PlannedShow {
  readonly id: number;
  readonly map: SeatMap;
  readonly prices: readonly number[];
}

const VENUES = new URL('../../../src/catalog/venues/', import.meta.url);
const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const PRICES = [9_600, 7_200, 4_800, 2_400, 1_200, 600];
/** Payments that are over in a blink, and all granted: a test that wants otherwise says so. */
const QUICK: Settings = {
  PAYMENT_DELAY_MIN_MS: '30',
  PAYMENT_DELAY_MAX_MS: '90',
  PAYMENT_SUCCESS_RATE: '1',
  UNLIMITED_ADDRESSES: '127.0.0.1',
};

const arc = (y: number) => ({ from: [1.5, y], to: [7.5, y], bend: 0 }) as const;
const section = (name: string, priceLevel: number, y: number) => ({
  name,
  tier: 'Floor',
  blocks: [{ priceLevel, rows: 2, firstRow: 'A', seats: [6, 6] as const, front: arc(y), back: arc(y + 1) }],
});
/** Small enough to be bought out in a moment. */
const KIOSK: VenueLayout = {
  id: 'kiosk',
  name: 'The Kiosk',
  city: 'Vienna',
  timeZone: 'Europe/Vienna',
  width: 9,
  height: 8,
  landmarks: [],
  priceLevels: ['Front', 'Back'],
  sections: [section('Left', 0, 2), section('Right', 1, 5)],
};

/** The server as buyers meet it, which can be killed and started again at the same address. */
class OfficeServer {
  readonly #settings: Settings;
  #process: ServerProcess | null = null;
  #port = 0;
  #complaints = '';

  constructor(settings: Settings) {
    this.#settings = settings;
  }

  get port(): number {
    return this.#port;
  }

  get url(): string {
    return `http://localhost:${this.#port}`;
  }

  /** Log records, which are written from warnings upwards, and whatever came on standard error. */
  get complaints(): string {
    return this.#complaints;
  }

  /** Starts and resolves when buyers can come: on any free port at first, later on the same one. */
  async start(): Promise<void> {
    // Chosen here: a port that the system chose for the server itself could not be had again right after a kill.
    this.#port ||= await freePort();
    const settings = { LOG_LEVEL: 'warn', ...this.#settings, PORT: String(this.#port) };
    this.#process = new ServerProcess(settings);
    await this.#process.serving();
  }

  /** Ends the process without a chance to finish anything. */
  async kill(): Promise<void> {
    const ended = this.#process;
    this.#process = null;
    await ended?.kill();
    const records = ended?.output.split('\n').filter((line) => line.startsWith('{')) ?? [];
    this.#complaints += [ended?.errorOutput ?? '', ...records].filter(Boolean).join('\n');
  }
}

/** A server of its own with shows of its own, in a data folder that goes with it. */
export class BoxOffice {
  readonly server: OfficeServer;
  readonly #folder: string;
  readonly #shows: ReadonlyMap<string, PlannedShow>;

  private constructor(folder: string, shows: ReadonlyMap<string, PlannedShow>, settings: Settings) {
    this.#folder = folder;
    this.#shows = shows;
    this.server = new OfficeServer({ ...settings, DEMO: 'off', DATA_DIR: folder });
  }

  static open(plans: readonly ShowPlan[], settings: Settings = {}): Promise<BoxOffice> {
    return BoxOffice.openWith(plans.map(draftOfPlan), { ...QUICK, ...settings });
  }

  /** With whole drafts, whose venues are the demo's, and with settings of one's own alone. */
  static async openWith(drafts: readonly ShowDraft[], settings: Settings): Promise<BoxOffice> {
    const folder = mkdtempSync(join(tmpdir(), 'box-office-'));
    const office = new BoxOffice(folder, await fillCatalog(folder, drafts), settings);
    try {
      await office.server.start();
    } catch (cause) {
      await office.close();
      throw cause;
    }
    return office;
  }

  /** The server's data folder. */
  get folder(): string {
    return this.#folder;
  }

  show(title: string): PlannedShow {
    const show = this.#shows.get(title);
    if (!show) throw new Error(`no show is called ${title}`);
    return show;
  }

  async close(): Promise<void> {
    await this.server.kill();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

async function fillCatalog(
  folder: string,
  drafts: readonly ShowDraft[],
): Promise<ReadonlyMap<string, PlannedShow>> {
  const files = readdirSync(VENUES).filter((name) => name.endsWith('.json'));
  const houses = await Promise.all(files.map((name) => loadVenueLayout(new URL(name, VENUES))));
  const layouts = [KIOSK, ...houses];
  const database = await openSqliteDatabase(folder, [...catalogTables, ...orderTables, paymentLogTable]);
  const catalog = new SqlCatalogStore(database);
  await catalog.addLayouts(layouts);
  const shows = new Map<string, PlannedShow>();
  for (const draft of drafts) {
    const layout = layouts.find(({ id }) => id === draft.venue);
    if (!layout) throw new Error(`no venue is called ${draft.venue}`);
    const prices = draft.prices.slice(0, layout.priceLevels.length);
    const id = await catalog.addShow({ ...draft, prices }, randomBytes(32).toString('hex'));
    shows.set(draft.title, { id, map: seatMapOf(layout), prices });
  }
  await database.close();
  return shows;
}

function draftOfPlan(plan: ShowPlan): ShowDraft {
  const { title, venue = 'kiosk', terms, opensInMs = -MINUTE_MS, lobbyInMs = -MINUTE_MS } = plan;
  const now = Date.now();
  const draft = draftOf(title, venue, now, {
    lobbyAt: lobbyInMs,
    opensAt: opensInMs,
    closesAt: 99 * HOUR_MS,
    admissionsPerSecond: 50,
    admissionBurst: 50,
    admittedMax: 100,
    holdLifetimeMs: 5 * MINUTE_MS,
    ...terms,
  });
  return {
    ...draft,
    prices: PRICES,
    subtitle: 'A play about a test',
    description: 'Somebody buys a ticket, and everything goes as it should.',
    startsAt: now + 100 * HOUR_MS,
  };
}
