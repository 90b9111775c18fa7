import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseEnv } from 'node:util';
import { ROOT } from '../checks/child-process.ts';

/** Everything the stack keeps for this checkout. */
export const STACK_FOLDER = join(ROOT, '.stack');

/** The setting of Stampede that each part's address belongs to. */
const SETTINGS = {
  redis: 'REDIS_URL',
  mysql: 'DATABASE_URL',
  kafka: 'KAFKA_BROKERS',
} as const;

/** The three outside parts of a sale. */
export type PartName = keyof typeof SETTINGS;
export const PART_NAMES: readonly PartName[] = ['redis', 'mysql', 'kafka'];

const SECRET_BYTES = 32;

export interface PartAddress {
  readonly name: PartName;
  readonly url: string;
}

/** The settings that point Stampede to the stack, by name. */
export type StackEnvironment = Readonly<Record<string, string>>;

export function stackEnvironment(parts: readonly PartAddress[]): StackEnvironment {
  const addresses = Object.fromEntries(parts.map(({ name, url }) => [SETTINGS[name], url]));
  return { ...addresses, PAYMENT_SECRET: randomBytes(SECRET_BYTES).toString('hex') };
}

const environmentFile = (folder: string): string => join(folder, 'env');

/** Leaves the settings in `env` of the stack's folder, for whoever starts Stampede on it. It holds passwords. */
export function writeStackEnvironment(folder: string, environment: StackEnvironment): string {
  mkdirSync(folder, { recursive: true });
  const file = environmentFile(folder);
  const lines = Object.entries(environment).map(([name, value]) => `${name}=${value}\n`);
  writeFileSync(`${file}.new`, lines.join(''), { mode: 0o600 });
  renameSync(`${file}.new`, file);
  return file;
}

/** @returns undefined when no stack was brought up, or it was taken down */
export function readStackEnvironment(folder: string): StackEnvironment | undefined {
  const file = environmentFile(folder);
  if (!existsSync(file)) return undefined;
  const entries = Object.entries(parseEnv(readFileSync(file, 'utf8')));
  return Object.fromEntries(entries.flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])));
}

export function removeStackEnvironment(folder: string): void {
  rmSync(environmentFile(folder), { force: true });
}
