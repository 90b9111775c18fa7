import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { ROOT } from '../checks/child-process.ts';

const manifest = z.object({ version: z.string() });

/** A package of this checkout with the version that is installed. */
export function installedVersion(name: string, folder = ROOT): string {
  const text = readFileSync(`${folder}/node_modules/${name}/package.json`, 'utf8');
  return `${name} ${manifest.parse(JSON.parse(text)).version}`;
}

export const nodeVersion = (): string => `Node ${process.versions.node}`;
