import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseEnv } from 'node:util';
import { ROOT, runGuarded } from '../checks/child-process.ts';
import { type RunningPart } from './native-stack.ts';
import { PART_NAMES } from './stack-environment.ts';
import { findFreePorts, LOOPBACK } from './ports.ts';
import { findProgram } from './programs.ts';
import { type Report, TaskError } from '../tasks/task.ts';

/** Its own project, so that a production-like `docker compose up` beside it keeps its containers and volumes. */
const PROJECT = 'stampede-stack';
const COMPOSE_FILE = join(ROOT, 'docker-compose.yml');
const STACK_FILE = join(import.meta.dirname, 'docker-compose.stack.yml');
/** An engine that doesn't answer within this isn't there. */
const ENGINE_WITHIN_MS = 10_000;
const UP_WITHIN_MS = 900_000;
const DOWN_WITHIN_MS = 120_000;
const FIRST_PORTS = { redis: 26_379, mysql: 23_306, kafka: 29_092 };

/** What the compose files take from the environment. */
type ComposeEnvironment = Readonly<Record<string, string>>;

/** The stack as containers of the project's own compose file. */
export class ComposeStack {
  readonly #environmentFile: string;
  readonly #environment: ComposeEnvironment;

  /** Use `findComposeStack`. */
  constructor(environmentFile: string, environment: ComposeEnvironment) {
    this.#environmentFile = environmentFile;
    this.#environment = environment;
  }

  /** @throws TaskError if a container doesn't become healthy */
  async start(report: Report): Promise<readonly RunningPart[]> {
    report('docker compose brings up redis, mysql, kafka (the first time it downloads them)');
    await this.#compose(['up', '--detach', '--wait', ...PART_NAMES], UP_WITHIN_MS);
    const { REDIS_PASSWORD, MYSQL_PASSWORD, STACK_REDIS_PORT, STACK_MYSQL_PORT, STACK_KAFKA_PORT } =
      this.#environment;
    const urls = {
      redis: `redis://:${REDIS_PASSWORD}@${LOOPBACK}:${STACK_REDIS_PORT}`,
      mysql: `mysql://stampede:${MYSQL_PASSWORD}@${LOOPBACK}:${STACK_MYSQL_PORT}/stampede`,
      kafka: `${LOOPBACK}:${STACK_KAFKA_PORT}`,
    };
    return PART_NAMES.map((name) => ({ name, product: 'container', url: urls[name], outcome: 'started' }));
  }

  async stop(wipe: boolean): Promise<void> {
    await this.#compose(['down', ...(wipe ? ['--volumes'] : [])], DOWN_WITHIN_MS);
  }

  async #compose(args: readonly string[], withinMs: number): Promise<void> {
    const files = ['--file', COMPOSE_FILE, '--file', STACK_FILE, '--env-file', this.#environmentFile];
    const command = ['compose', '--project-name', PROJECT, ...files, ...args];
    const { code, output } = await runGuarded('docker', command, { withinMs });
    if (code !== 0) throw new TaskError(`docker compose ${args[0]} failed:\n${output.trim()}`);
  }
}

/** @returns undefined where no engine answers, compose is missing or the project has no compose file */
export async function findComposeStack(folder: string): Promise<ComposeStack | undefined> {
  if (!existsSync(COMPOSE_FILE) || findProgram('docker') === undefined) return undefined;
  for (const args of [['compose', 'version'], ['info']]) {
    const { code } = await runGuarded('docker', args, { withinMs: ENGINE_WITHIN_MS });
    if (code !== 0) return undefined;
  }
  const file = join(folder, 'compose.env');
  if (!existsSync(file)) await writeEnvironment(folder, file);
  const entries = Object.entries(parseEnv(readFileSync(file, 'utf8')));
  return new ComposeStack(file, Object.fromEntries(entries.map(([name, value]) => [name, value ?? ''])));
}

/** Written once: the same ports and passwords from then on, since volumes remember the latter. */
async function writeEnvironment(folder: string, file: string): Promise<void> {
  mkdirSync(folder, { recursive: true });
  const lines = ['REDIS_PASSWORD', 'MYSQL_PASSWORD', 'MYSQL_ROOT_PASSWORD'].map(
    (name) => `${name}=${randomBytes(18).toString('hex')}`,
  );
  for (const name of PART_NAMES) {
    const [port] = await findFreePorts(1, FIRST_PORTS[name]);
    lines.push(`STACK_${name.toUpperCase()}_PORT=${port}`);
  }
  writeFileSync(file, `${lines.join('\n')}\n`, { mode: 0o600 });
}
