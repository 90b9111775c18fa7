import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import WebSocket from 'ws';
import { startNginx } from '../../tools/nginx/nginx-server.ts';
import type { NativeServer } from '../../tools/stack/native-server.ts';
import { provideProgram } from '../../tools/stack/programs.ts';
import { ServerProcess, type Settings } from '../../tools/tasks/server-process.ts';
import { freePort } from '../free-port.ts';

/** A certificate made for this run, which nobody else has any reason to believe. */
async function makeCertificate(): Promise<string> {
  const openssl = await provideProgram('openssl', 'openssl', () => undefined);
  const folder = await mkdtemp(join(tmpdir(), 'stampede-tls-'));
  await promisify(execFile)(openssl, [
    ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '1'],
    ...['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1'],
    ...['-keyout', join(folder, 'privkey.pem'), '-out', join(folder, 'fullchain.pem')],
  ]);
  return folder;
}

/** A gateway of its own on the embedded defaults, behind a proxy on this machine. */
async function startGateway(settings: Settings = {}): Promise<{ port: number; end: () => Promise<void> }> {
  const folder = await mkdtemp(join(tmpdir(), 'stampede-behind-nginx-'));
  const port = await freePort();
  const server = new ServerProcess({
    PORT: String(port),
    HOST: '127.0.0.1',
    DATA_DIR: folder,
    TRUSTED_PROXIES: '127.0.0.1',
    ...settings,
  });
  await server.serving();
  return {
    port,
    async end() {
      await server.kill();
      await rm(folder, { recursive: true });
    },
  };
}

interface Reply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
}

/** A call whose certificate isn't looked at: it is the test's own. */
function call(url: string, method: 'GET' | 'POST', headers: Record<string, string> = {}): Promise<Reply> {
  const { promise, resolve, reject } = Promise.withResolvers<Reply>();
  const asked = request(url, { method, headers, rejectUnauthorized: false }, (response) => {
    response.resume();
    response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers }));
  });
  asked.on('error', reject).end();
  return promise;
}

const cookieOf = ({ headers }: Reply): string => headers['set-cookie']?.[0] ?? '';

describe('behind the nginx of production with TLS', () => {
  let gateway: Awaited<ReturnType<typeof startGateway>>;
  let certificate: string;
  let nginx: NativeServer;

  beforeAll(async () => {
    certificate = await makeCertificate();
    gateway = await startGateway();
    nginx = await startNginx({ gateways: [gateway.port], tls: certificate });
  });
  afterAll(async () => {
    await nginx.remove();
    await gateway.end();
    await rm(certificate, { recursive: true });
  });

  test('the session travels over secure connections only, and the browser is told to ask for nothing else', async () => {
    const reply = await call(`${nginx.url}/api/sessions`, 'POST');
    expect(reply.status).toBe(201);
    expect(cookieOf(reply)).toMatch(/; Secure/);
    expect(reply.headers['strict-transport-security']).toMatch(/^max-age=\d{8,}/);
  });

  test('the socket opens with that cookie', async () => {
    const cookie = cookieOf(await call(`${nginx.url}/api/sessions`, 'POST')).split(';', 1)[0] ?? '';
    const { host } = new URL(nginx.url);
    const socket = new WebSocket(`wss://${host}/socket`, 'stampede.v1', {
      rejectUnauthorized: false,
      headers: { cookie, origin: `https://${host}` },
    });
    const { promise, resolve, reject } = Promise.withResolvers<Buffer>();
    socket.on('message', (data) => resolve(data as Buffer)).on('error', reject);
    socket.on('close', (code) => reject(new Error(`closed with ${code}`)));
    expect((await promise).length).toBeGreaterThan(0);
    socket.terminate();
  });

  test('without TLS there is nothing but the way to it', async () => {
    const plain = `http://127.0.0.1:${nginx.ports[0]}/shows/1?from=mail`;
    const reply = await fetch(plain, { redirect: 'manual' });
    expect(reply.status).toBe(308);
    expect(reply.headers.get('location')).toBe('https://127.0.0.1/shows/1?from=mail');
  });
});

describe('behind nginx behind a load balancer that does TLS', () => {
  const asBalancer = { 'x-forwarded-for': '203.0.113.7', 'x-forwarded-proto': 'https' };
  let gateway: Awaited<ReturnType<typeof startGateway>>;
  beforeAll(async () => {
    gateway = await startGateway({ HTTP_CALLS_PER_MINUTE: '5' });
  });
  afterAll(() => gateway.end());

  const post = async (nginx: NativeServer, headers: Record<string, string>): Promise<Response> =>
    fetch(`${nginx.url}/api/sessions`, { method: 'POST', headers });

  test('one that is named is believed: the cookie is secure, and each buyer has limits of their own', async () => {
    const nginx = await startNginx({ gateways: [gateway.port], believes: '127.0.0.1' });
    try {
      const reply = await post(nginx, asBalancer);
      expect(reply.headers.get('set-cookie')).toMatch(/; Secure/);
      for (let calls = 0; calls < 10; calls++) await post(nginx, asBalancer);
      expect((await post(nginx, asBalancer)).status).toBe(429);
      expect((await post(nginx, { ...asBalancer, 'x-forwarded-for': '203.0.113.8' })).status).toBe(201);
    } finally {
      await nginx.remove();
    }
  });

  test('[P7] anybody else is not: the same words change nothing', async () => {
    const nginx = await startNginx({ gateways: [gateway.port] });
    try {
      const replies: Response[] = [];
      for (let calls = 0; calls < 12; calls++) {
        replies.push(await post(nginx, { ...asBalancer, 'x-forwarded-for': `203.0.113.${calls + 20}` }));
      }
      expect(replies[0]?.headers.get('set-cookie')).not.toMatch(/; Secure/);
      expect(replies.at(-1)?.status).toBe(429);
    } finally {
      await nginx.remove();
    }
  });
});
