/** Where nginx and its gateways are on this machine. */
export interface NginxPlace {
  /** nginx may write here and nowhere else. */
  readonly folder: string;
  readonly port: number;
  /** Where it listens with TLS; null: it doesn't. */
  readonly tlsPort: number | null;
  /** `host:port` of each. */
  readonly gateways: readonly string[];
}

/** What a file's text becomes on this machine. */
type Change = (text: string, place: NginxPlace) => string;

const TEMPORARY = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];

const main: Change = (text, { folder, port }) => {
  const paths = TEMPORARY.map((name) => `\n  ${name}_temp_path "${folder}/${name}";`).join('');
  const listening = replaceOnce(
    text,
    /^( *listen )8080(.*;)$/gm,
    (_, before, after) => `${before}${port}${after}`,
  );
  return replaceOnce(listening, /^http \{$/gm, (line) => `${line}${paths}`);
};

const mainWithTls: Change = (text, place) =>
  replaceOnce(
    main(text, place),
    /^( *listen )8443( .*;)$/gm,
    (_, before, after) => `${before}${place.tlsPort}${after}`,
  ).replaceAll('/etc/nginx/tls', `${place.folder}/tls`);

const gateways: Change = (text, place) =>
  replaceOnce(
    text,
    /^( *server )gateway-\d+:8083( .*;)\n(?: *server gateway-\d+:8083 .*;\n)*/gm,
    (_, before, after) => place.gateways.map((gateway) => `${before}${gateway}${after}\n`).join(''),
  );

const asItIs: Change = (text) => text;

/** The production files by name, and what changes of each. */
const FILES: Readonly<Record<string, Change>> = {
  'nginx.conf': main,
  'nginx-tls.conf': mainWithTls,
  'gateways.conf': gateways,
  'site.conf': asItIs,
  'proxies.conf': asItIs,
  'real-ip.conf': asItIs,
};

/** The file that nginx is started with; the others are included by it. */
export const mainFileOf = ({ tlsPort }: NginxPlace): string =>
  tlsPort === null ? 'nginx.conf' : 'nginx-tls.conf';

/**
 * The production files with this machine's addresses and folders in the places of a container's. Nothing else changes,
 * so that what is tested is what serves.
 * @param read a production file by its name
 * @param more lines for files that an operator fills in, by name
 */
export function nginxFilesOf(
  read: (name: string) => string,
  place: NginxPlace,
  more: Readonly<Record<string, string>> = {},
): ReadonlyMap<string, string> {
  const names = Object.keys(FILES).filter((name) => !name.startsWith('nginx') || name === mainFileOf(place));
  return new Map(
    names.map((name) => [name, `${(FILES[name] ?? asItIs)(read(name), place)}${more[name] ?? ''}`]),
  );
}

/** The file and this program must agree on what is replaced: anything else is a mistake in one of them. */
function replaceOnce(text: string, pattern: RegExp, by: (...match: string[]) => string): string {
  const count = text.match(pattern)?.length ?? 0;
  if (count !== 1)
    throw new Error(`a file of deploy/nginx has ${count} places that match ${String(pattern)}`);
  return text.replace(pattern, by);
}
