import { spawn } from 'node:child_process';
import { ROOT } from '../checks/child-process.ts';
import { startNginx } from '../nginx/nginx-server.ts';
import { LOOPBACK } from '../stack/ports.ts';

const DEFAULT_PORT = 8_083;
const MAIN = `${ROOT}/server/src/main.ts`;

interface Member {
  readonly name: string;
  readonly environment: Readonly<Record<string, string>>;
}

/**
 * Runs several processes as one: gateways on ports that follow one another, a worker, and nginx on the first port if
 * it is wanted. Ends when all have ended; one that dies leaves the others selling, which is the point of having
 * several. Signals go to all.
 * @returns the exit code: the first that wasn't 0
 * @throws TaskError if nginx can't be had
 */
export async function runFleet(gateways: number, behindNginx: boolean): Promise<number> {
  const port = Number(process.env['PORT'] ?? DEFAULT_PORT);
  const ports = Array.from({ length: gateways }, (_, index) => port + Number(behindNginx) + index);
  const nginx = behindNginx ? await startNginx({ gateways: ports, port, report: console.log }) : null;
  if (nginx) console.log(`${nginx.product} is in front of ${gateways} gateways: http://localhost:${port}`);
  // Whatever is set beside it, this nginx must be believed, or all its buyers would share one address.
  const trusted = [process.env['TRUSTED_PROXIES'], LOOPBACK].filter(Boolean).join(',');
  const proxied = nginx ? { TRUSTED_PROXIES: trusted } : {};
  const members: Member[] = [
    { name: 'worker', environment: { ROLES: 'worker,scheduler', PORT: '0' } },
    ...ports.map((gatewayPort, index) => ({
      name: `gateway ${index + 1}`,
      environment: { ROLES: 'gateway,scheduler', PORT: String(gatewayPort), ...proxied },
    })),
  ];
  const children = members.map(start);
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => {
      for (const { child } of children) child.kill(signal);
    });
  }
  const codes = await Promise.all(children.map(({ ended }) => ended));
  await nginx?.remove();
  return codes.find((code) => code !== 0) ?? 0;
}

function start({ name, environment }: Member) {
  const child = spawn(process.execPath, [MAIN], {
    stdio: 'inherit',
    env: { ...process.env, ...environment },
  });
  const ended = new Promise<number>((resolve) => {
    child.once('error', (error) => {
      console.error(`${name} could not be started: ${error.message}`);
      resolve(1);
    });
    child.once('exit', (code, signal) => {
      if (code !== 0) console.error(`${name} ended: ${signal ?? `exit code ${String(code)}`}.`);
      resolve(code ?? 1);
    });
  });
  return { child, ended };
}
