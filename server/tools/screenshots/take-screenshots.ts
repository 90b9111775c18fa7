import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { demoShows } from '../../src/catalog/demo-shows.ts';
import { BoxOffice } from '../../test/e2e/stand/box-office.ts';
import { launchBrowser } from '../../test/e2e/stand/stand.ts';
import { DESKTOP, PHONE, Visitor } from '../../test/e2e/stand/visitor.ts';
import { ROOT } from '../checks/child-process.ts';
import { Album } from './album.ts';
import { ALBUM_TITLES, Walk } from './walk.ts';

/** Enough time for the pictures of the lobby before the arena opens. */
const LOBBY_MS = 45_000;
/** The crowd's exit code for arguments or an address that can't be used. */
const CANNOT_SET_OUT = 2;
/** Slow payments, so that their processing can be seen, and no declines, so that the walk ends with tickets. */
const SETTINGS = {
  PAYMENT_DELAY_MIN_MS: '1500',
  PAYMENT_DELAY_MAX_MS: '3000',
  PAYMENT_SUCCESS_RATE: '1',
  UNLIMITED_ADDRESSES: '127.0.0.0/8',
};

/** The demo's shows, with an arena that opens sooner and lets people in slowly: a queue to be seen. */
function shows(now: number) {
  return demoShows(now).map((draft) =>
    draft.title === ALBUM_TITLES.arena
      ? {
          ...draft,
          sale: { ...draft.sale, opensAt: now + LOBBY_MS, admissionsPerSecond: 8, admissionBurst: 20 },
        }
      : draft,
  );
}

/** Other people, without whom a sale is an empty map. */
function crowd(office: BoxOffice, title: string, buyers: number, ...more: string[]) {
  const tool = ['--disable-warning=ExperimentalWarning', `${ROOT}/server/tools/crowd.ts`, '--json'];
  const place = ['--url', office.server.url, '--data', office.folder, '--show', title];
  const args = [...tool, ...place, '--seed', '11', '--buyers', String(buyers), ...more];
  const child = spawn(process.execPath, args, { cwd: ROOT, stdio: ['ignore', 'ignore', 'pipe'] });
  let said = '';
  child.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()));
  const gone = once(child, 'close').then(() => {
    if (child.exitCode === CANNOT_SET_OUT) throw new Error(`the crowd did not set out: ${said}`);
  });
  return { gone, disperse: () => void child.kill('SIGKILL') };
}

/** Lives through the demo with a phone and a desktop among a crowd, and keeps pictures of every step. */
export async function takeScreenshots(): Promise<void> {
  const office = await BoxOffice.openWith(shows(Date.now()), SETTINGS);
  const browser = await launchBrowser();
  const crowds: ReturnType<typeof crowd>[] = [];
  try {
    const fight = crowd(office, ALBUM_TITLES.hall, 600);
    crowds.push(
      fight,
      crowd(office, ALBUM_TITLES.theatre, 300, '--pace', 'human', '--ramp', '150'),
      crowd(office, ALBUM_TITLES.arena, 900, '--pace', 'human', '--ramp', '15'),
    );
    const walks = await Promise.all(
      [
        { name: 'phone', device: { ...PHONE, deviceScaleFactor: 1.5 } },
        { name: 'desktop', device: DESKTOP },
      ].map(async ({ name, device }) => {
        const visitor = await Visitor.arrive(browser, office.server.url, { device });
        const newcomer = () => Visitor.arrive(browser, office.server.url, { device });
        return new Walk(office, visitor, newcomer, new Album(name), device.isMobile);
      }),
    );
    for (const walk of walks) await walk.beforeTheSale();
    await fight.gone;
    for (const walk of walks) await walk.tooLate();
    for (const walk of walks) await walk.queue();
    for (const walk of walks) await walk.purchase();
    for (const walk of walks) await walk.arena();
    for (const walk of walks) walk.album.keep();
  } finally {
    for (const one of crowds) one.disperse();
    await Promise.all(crowds.map((one) => one.gone));
    await browser.close();
    await office.close();
  }
}
