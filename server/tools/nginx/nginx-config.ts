/** Where nginx and its gateways are on this machine. */
export interface NginxPlace {
  /** nginx may write here and nowhere else. */
  readonly folder: string;
  readonly port: number;
  /** `host:port` of each. */
  readonly gateways: readonly string[];
}

const LISTEN = /^( *listen )8080( .*;)$/gm;
const GATEWAYS = /^( *server )gateway-\d+:8083( .*;)\n(?: *server gateway-\d+:8083 .*;\n)*/gm;
const HTTP = /^http \{$/gm;
const TEMPORARY = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];

/**
 * The production file with this machine's addresses and folders in the places of a container's. Nothing else changes,
 * so that what is tested is what serves.
 */
export function nginxConfigOf(production: string, { folder, port, gateways }: NginxPlace): string {
  const paths = TEMPORARY.map((name) => `\n  ${name}_temp_path "${folder}/${name}";`).join('');
  const listening = replaceOnce(production, LISTEN, (_, before, after) => `${before}${port}${after}`);
  const upstream = replaceOnce(listening, GATEWAYS, (_, before, after) =>
    gateways.map((gateway) => `${before}${gateway}${after}\n`).join(''),
  );
  return replaceOnce(upstream, HTTP, (line) => `${line}${paths}`);
}

/** The file and this program must agree on what is replaced: anything else is a mistake in one of them. */
function replaceOnce(text: string, pattern: RegExp, by: (...match: string[]) => string): string {
  const count = text.match(pattern)?.length ?? 0;
  if (count !== 1) throw new Error(`deploy/nginx.conf has ${count} places that match ${String(pattern)}`);
  return text.replace(pattern, by);
}
