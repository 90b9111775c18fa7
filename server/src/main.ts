/** The server: reads settings, opens the adapters they ask for, starts, and ends as it is told to. */
import { randomBytes } from 'node:crypto';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { systemClock } from '@stampede/shared/platform/clock.ts';
import { BuyerSessions } from './access/buyer-session.ts';
import { RequestBudgets } from './access/request-budgets.ts';
import { TicketRecovery } from './access/ticket-recovery.ts';
import { secretsFor } from './access/session-secret.ts';
import { hasTickets } from './checkout/list-orders.ts';
import { NetworkTags } from './access/network-tag.ts';
import { migrateOnly, openAdapters } from './adapters.ts';
import { type App, startApp } from './app.ts';
import { fillEmptyCatalog } from './catalog/demo-shows.ts';
import { type Config, readConfig } from './config.ts';
import { ListenError } from './gateway/http-listen.ts';
import { PlaceReceipts } from './waiting-room/place-receipts.ts';
import { readBuild, StaticFiles } from './gateway/static-files.ts';
import { ConfigError } from './platform/config-error.ts';
import { DatabaseError } from './platform/database.ts';
import { FleetClock } from './platform/fleet-clock.ts';
import { createLogger, type Logger } from './platform/logger.ts';
import { Metrics } from './platform/metrics.ts';
import { machineOutside, type Outside } from './platform/outside.ts';

/** The configuration or its surroundings are wrong: trying again changes nothing. */
const EXIT_UNUSABLE = 2;
const MS_PER_SECOND = 1_000;
const SECRET_BYTES = 32;
const CLIENT_BUILD = new URL('../../client/build/', import.meta.url);

async function start(config: Config, logger: Logger): Promise<{ app: App; close: () => Promise<void> }> {
  const clock = new FleetClock({
    machine: systemClock,
    passedMs: () => performance.now(),
    onTrouble: (message) => logger.warn(message),
  });
  const outside = { ...outsideOf(logger), clock };
  const dataDir = resolve(config.dataDir);
  // A process that serves no buyers reads no session: it need not know what would make one.
  const secrets = config.roles.has('gateway')
    ? await secretsFor('session', config.sessionSecret, dataDir)
    : ([randomBytes(SECRET_BYTES)] as const);
  const metrics = new Metrics(clock);
  const adapters = await openAdapters({ config, dataDir, outside, logger, metrics }, clock);
  if (config.demo === 'on') {
    const count = await fillEmptyCatalog(adapters.catalogStore, clock.now());
    if (count > 0) console.log(`The catalogue was empty: ${count} demo shows are in it now.`);
  }
  const app = await startApp({
    ...adapters,
    config,
    metrics,
    outside,
    clockSkewSeconds: () => clock.skewMs / MS_PER_SECOND,
    logger,
    sessions: new BuyerSessions(secrets),
    recovery: new TicketRecovery({
      secret: secrets[0],
      store: adapters.recoveries,
      hasTickets: (session) => hasTickets(adapters.orders, session),
      clock,
    }),
    networks: new NetworkTags(secrets[0], config.unlimitedAddresses),
    receipts: new PlaceReceipts(secrets),
    budgets: new RequestBudgets(config),
    files: new StaticFiles(await readBuild(fileURLToPath(CLIENT_BUILD))),
  });
  return { app, close: () => adapters.close() };
}

function outsideOf(logger: Logger): Outside {
  return machineOutside((message, cause) => logger.error({ err: cause }, message));
}

/** Ends the process with one readable line where the cause is something its operator can put right. */
function giveUp(cause: unknown): never {
  if (cause instanceof ConfigError || cause instanceof DatabaseError || cause instanceof ListenError) {
    console.error(cause.message);
    process.exit(EXIT_UNUSABLE);
  }
  throw cause;
}

try {
  const config = readConfig(process.env);
  const logger = createLogger({ level: config.logLevel, readable: process.stdout.isTTY });
  if (config.migrate === 'only') {
    await migrateOnly({ config, dataDir: resolve(config.dataDir), outside: outsideOf(logger), logger });
    console.log('The tables are up to date.');
    process.exit(0);
  }
  const { app, close } = await start(config, logger);
  console.log(welcome(config, app.port));
  let isStopping = false;
  const stop = (): void => {
    if (isStopping) process.exit(1);
    isStopping = true;
    app
      .stop()
      .then(close)
      .then(
        () => process.exit(0),
        (cause: unknown) => {
          logger.fatal({ err: cause }, 'stopping failed');
          process.exit(1);
        },
      );
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
} catch (cause) {
  giveUp(cause);
}

/** Where to go, and what to try next. */
function welcome({ roles }: Config, port: number): string {
  if (!roles.has('gateway'))
    return `Stampede runs as ${[...roles].join(' and ')}, its health on port ${port}.`;
  return [
    `Stampede is selling: http://localhost:${port}`,
    `To watch a fight for seats, open "The Grand Pillow Fight" there and, in another terminal:`,
    `  npm run crowd -- --url http://localhost:${port} --show "Pillow Fight" --buyers 1000`,
  ].join('\n');
}
