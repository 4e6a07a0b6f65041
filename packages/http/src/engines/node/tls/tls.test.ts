import assert from 'node:assert/strict';
import { appendFileSync, chmodSync, copyFileSync, writeFileSync } from 'node:fs';
import { connect as connectPlain } from 'node:net';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { connect as connectTls } from 'node:tls';
import { Call, type LogFields, type Logger, systemClock } from '@flotilla/core';
import { Authority, type Issued, ManualClock, seededRandom, stamp } from '@flotilla/core/testing';
import type { HttpRequest, Peer } from '../../../exchange.ts';
import { HttpHeaders } from '../../../headers.ts';
import type { HttpListener } from '../../../network.ts';
import { rootPath } from '../../../path.ts';
import { nodeNetwork } from '../index.ts';
import { openTls, TlsFiles } from './tls-files.ts';

const random = seededRandom(11);
const own = 'IP:127.0.0.1,DNS:localhost';
let authority: Authority;
let stranger: Authority;
let server: Issued;
let client: Issued;

before(() => {
  authority = new Authority();
  stranger = new Authority('Somebody else');
  server = authority.issue({ name: 'server', names: own });
  client = authority.issue({ name: 'orders', names: 'URI:spiffe://fleet/orders,DNS:orders.internal' });
});
after(() => {
  authority.remove();
  stranger.remove();
});

interface Line {
  readonly level: string;
  readonly message: string;
  readonly fields: LogFields;
}

function recorder(): Logger & { readonly lines: Line[] } {
  const lines: Line[] = [];
  const at =
    (level: string) =>
    (message: string, fields: LogFields = {}) =>
      void lines.push({ level, message, fields });
  const logger = {
    debug: at('debug'),
    info: at('info'),
    warn: at('warn'),
    error: at('error'),
    child: () => logger,
    lines,
  };
  return logger;
}

const open = (options: ConstructorParameters<typeof TlsFiles>[0]) => openTls(options, { clock: systemClock });

/** A listener that answers with who it thinks asks, and clients of it. */
async function served(options: ConstructorParameters<typeof TlsFiles>[0]) {
  const tls = await open(options);
  const network = nodeNetwork({ clock: systemClock, random, tls });
  const listener = await network.listen({ host: '127.0.0.1', port: 0, tls: true }, async ({ peer, body }) => {
    let size = 0;
    if (body instanceof Uint8Array) size = body.length;
    else for await (const chunk of body ?? []) size += chunk.length;
    return { status: 200, headers: new HttpHeaders(), body: Buffer.from(JSON.stringify({ peer, size })) };
  });
  return {
    tls,
    listener,
    async stop() {
      tls.close();
      await listener.drain(0);
    },
  };
}

async function ask(
  { port }: HttpListener,
  options: ConstructorParameters<typeof TlsFiles>[0] | undefined,
  { host = '127.0.0.1', body }: { host?: string; body?: Uint8Array } = {},
): Promise<{ readonly peer: Peer; readonly size: number; readonly code?: string; readonly detail?: string }> {
  const tls = options && (await open(options));
  const endpoint = nodeNetwork({ clock: systemClock, random, tls }).connect({ protocol: 'https', host, port });
  try {
    return await askOver(endpoint, body);
  } finally {
    tls?.close();
    await endpoint.close();
  }
}

async function askOver(endpoint: ReturnType<ReturnType<typeof nodeNetwork>['connect']>, body?: Uint8Array) {
  const request: HttpRequest = {
    method: body ? 'POST' : 'GET',
    authority: 'localhost',
    path: rootPath,
    query: '',
    headers: new HttpHeaders(),
    body,
  };
  const response = await endpoint.handle(request, new Call({ clock: systemClock, random }));
  const chunks: Uint8Array[] = [];
  if (response.body instanceof Uint8Array) chunks.push(response.body);
  else for await (const chunk of response.body ?? []) chunks.push(chunk);
  return JSON.parse(Buffer.concat(chunks).toString());
}

describe('a listener and a client that speak TLS', () => {
  it('one configuration serves both sides; names and addresses are verified', async () => {
    const { listener, stop } = await served({ ...server });
    const { peer, size } = await ask(listener, { ca: authority.ca }, { body: Buffer.alloc(300_000) });
    assert.deepEqual([peer.address, peer.encrypted, peer.certificate], ['127.0.0.1', true, undefined]);
    assert.equal(size, 300_000);
    assert.equal((await ask(listener, { ca: authority.ca }, { host: 'localhost' })).peer.encrypted, true);
    await stop();
  });

  const refusals: readonly (readonly [string, () => ConstructorParameters<typeof TlsFiles>[0], RegExp])[] = [
    ['of another authority', () => ({ ca: stranger.ca }), /of an authority that "tls\.ca" does not name/],
    ['of an authority that nobody named', () => ({}), /of an authority that "tls\.ca" does not name/],
  ];
  for (const [claim, options, reason] of refusals) {
    it(`a server's certificate ${claim} is refused, and the reason said`, async () => {
      const { listener, stop } = await served({ ...server });
      await assert.rejects(ask(listener, options()), { code: 'CONNECT_FAILED', message: reason });
      await stop();
    });
  }

  it('a certificate for other names, or one that expired, is refused, and the reason said', async () => {
    const rows: readonly [Issued, RegExp][] = [
      [authority.issue({ name: 'other', names: 'DNS:other.internal' }), /is for other names than this one/],
      [authority.issue({ name: 'old', names: own, from: stamp(-30), to: stamp(-1) }), /its certificate has expired/],
      [authority.issue({ name: 'early', names: own, from: stamp(1), to: stamp(9) }), /does not count yet/],
    ];
    for (const [issued, message] of rows) {
      const { listener, stop } = await served({ ...issued });
      await assert.rejects(ask(listener, { ca: authority.ca }), { code: 'CONNECT_FAILED', message });
      await stop();
    }
  });

  it('a client certificate that is required and verified names who asks; without one, or of another authority, nothing is served', async () => {
    const { listener, stop } = await served({ ...server, ca: authority.ca, clientAuth: 'require' });
    const { peer } = await ask(listener, { ...client, ca: authority.ca });
    assert.deepEqual(peer.certificate?.names, ['CN=orders', 'URI:spiffe://fleet/orders', 'DNS:orders.internal']);
    assert.match(peer.certificate?.fingerprint ?? '', /^(?:[0-9A-F]{2}:){31}[0-9A-F]{2}$/);
    const without = await ask(listener, { ca: authority.ca });
    assert.equal(without.code, 'UNAUTHENTICATED');
    assert.match(without.detail ?? '', /this port wants a client certificate: set "tls\.cert" and "tls\.key"/);
    const foreign = stranger.issue({ name: 'orders', names: 'URI:spiffe://fleet/orders' });
    const refused = await ask(listener, { ...foreign, ca: authority.ca });
    assert.match(refused.detail ?? '', /this client certificate is not taken: (?:SELF_SIGNED|UNABLE)/);
    assert.equal(refused.peer, undefined);
    const expired = authority.issue({ name: 'orders', from: stamp(-9), to: stamp(-1) });
    assert.match((await ask(listener, { ...expired, ca: authority.ca })).detail ?? '', /CERT_HAS_EXPIRED/);
    await stop();
  });

  it('an optional client certificate counts when it verifies, and only then', async () => {
    const { listener, stop } = await served({ ...server, ca: authority.ca, clientAuth: 'optional' });
    const foreign = stranger.issue({ name: 'orders', names: 'URI:spiffe://fleet/orders' });
    const trusted = { ca: authority.ca };
    assert.equal((await ask(listener, { ...client, ...trusted })).peer.certificate?.names[0], 'CN=orders');
    assert.equal((await ask(listener, trusted)).peer.certificate, undefined);
    assert.equal((await ask(listener, { ...foreign, ...trusted })).peer.certificate, undefined);
    await stop();
  });

  it('a name with a comma or a quote in a certificate does not pass for two names', async () => {
    const { listener, stop } = await served({ ...server, ca: authority.ca, clientAuth: 'require' });
    const sly = authority.issue({ name: 'sly', names: 'URI:spiffe://x/a\\, URI:spiffe://fleet/orders' });
    const { peer } = await ask(listener, { ...sly, ca: authority.ca });
    assert.equal(peer.certificate?.names.includes('CN=sly'), true);
    await stop();
  });

  it('protocols below the minimum get no connection', async () => {
    const { listener, stop } = await served({ ...server, minVersion: 'TLSv1.3' });
    const attempt = (maxVersion: 'TLSv1.2' | 'TLSv1.3'): Promise<string | null> =>
      new Promise((resolve, reject) => {
        const socket = connectTls({ host: '127.0.0.1', port: listener.port, maxVersion, rejectUnauthorized: false });
        socket.once('secureConnect', () => {
          resolve(socket.getProtocol());
          socket.destroy();
        });
        socket.once('error', reject);
      });
    await assert.rejects(attempt('TLSv1.2'), /alert/);
    assert.equal(await attempt('TLSv1.3'), 'TLSv1.3');
    await stop();
  });

  it('who speaks plainly to a port with TLS, or TLS to a plain one, is told so', async () => {
    const { listener, stop } = await served({ ...server });
    const words = await new Promise<string>((resolve, reject) => {
      let text = '';
      const socket = connectPlain({ host: '127.0.0.1', port: listener.port });
      socket.on('data', (chunk) => {
        text += chunk;
      });
      socket.once('end', () => resolve(text)).once('error', reject);
      socket.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    });
    assert.match(words, /^HTTP\/1\.1 400 [\s\S]*this port speaks TLS: ask for https/);
    await stop();
    const network = nodeNetwork({ clock: systemClock, random });
    const plain = await network.listen({ host: '127.0.0.1', port: 0 }, async () => ({
      status: 204,
      headers: new HttpHeaders(),
      body: undefined,
    }));
    await assert.rejects(ask(plain, { ca: authority.ca }), {
      code: 'CONNECT_FAILED',
      message: /it speaks no TLS: is it http:\/\/ instead of https/,
    });
    await plain.drain(0);
  });

  it('a handshake that does not go on is cut, and counts as a connection meanwhile', async () => {
    const tls = await open({ ...server });
    const clock = new ManualClock();
    const network = nodeNetwork({ clock, random, tls, limits: { headTimeoutMs: 3_000 } });
    const listener = await network.listen({ host: '127.0.0.1', port: 0, tls: true }, async () => assert.fail());
    const socket = connectPlain({ host: '127.0.0.1', port: listener.port });
    const closed = new Promise((resolve) => socket.once('close', resolve));
    socket.on('error', () => {});
    await new Promise((resolve) => socket.once('connect', resolve));
    socket.write(Buffer.from([22, 3, 1, 1, 0, 1]));
    while (listener.connections === 0) await new Promise((resolve) => setImmediate(resolve));
    await clock.advance(4_000);
    await closed;
    tls.close();
    await Promise.all([listener.drain(0), clock.advance(0)]);
  });
});

describe('files that change', () => {
  it('new connections get the new certificate, open ones go on; half-replaced files change nothing', async () => {
    const live = { cert: join(authority.folder, 'live.pem'), key: join(authority.folder, 'live.key') };
    copyFileSync(server.cert, live.cert);
    copyFileSync(server.key, live.key);
    const logger = recorder();
    const tls = await openTls(live, { clock: systemClock, logger });
    const network = nodeNetwork({ clock: systemClock, random, tls });
    const listener = await network.listen({ host: '127.0.0.1', port: 0, tls: true }, async () => ({
      status: 200,
      headers: new HttpHeaders(),
      body: Buffer.from('{}'),
    }));
    const nameSeen = async (): Promise<string> => {
      const socket = connectTls({ host: '127.0.0.1', port: listener.port, rejectUnauthorized: false });
      await new Promise((resolve, reject) => socket.once('secureConnect', resolve).once('error', reject));
      const { CN } = socket.getPeerCertificate().subject;
      socket.destroy();
      return String(CN);
    };
    const kept = connectTls({ host: '127.0.0.1', port: listener.port, rejectUnauthorized: false });
    await new Promise((resolve) => kept.once('secureConnect', resolve));
    assert.equal(await nameSeen(), 'server');
    assert.equal(await tls.check(), false, 'nothing changed');

    const next = authority.issue({ name: 'next', names: own });
    copyFileSync(next.cert, live.cert);
    assert.equal(await tls.check(), false);
    assert.match(String(logger.lines.at(-1)?.fields['reason']), /the key in ".*live\.key" \(tls\.key\) is not that of/);
    assert.equal(await nameSeen(), 'server', 'the old one stays');
    copyFileSync(next.key, live.key);
    assert.equal(await tls.check(), true);
    assert.equal(await nameSeen(), 'next');

    const answer = new Promise<string>((resolve) => kept.once('data', (chunk) => resolve(chunk.toString())));
    kept.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    assert.match(await answer, /^HTTP\/1\.1 200/, 'a connection from before goes on');
    kept.destroy();

    const old = authority.issue({ name: 'old', names: own, from: stamp(-30), to: stamp(-1) });
    copyFileSync(old.key, live.key);
    copyFileSync(old.cert, live.cert);
    assert.equal(await tls.check(), false, 'one that expired does not replace one that counts');
    assert.match(String(logger.lines.at(-1)?.fields['reason']), /live\.pem" \(tls\.cert\) expired at/);
    assert.equal(await nameSeen(), 'next');
    tls.close();
    await listener.drain(0);
  });

  it('a client trusts the new authority from its next connection on', async () => {
    const { listener, stop } = await served({ ...server });
    const ca = join(authority.folder, 'trusted.pem');
    copyFileSync(stranger.ca, ca);
    const tls = await open({ ca });
    const endpoint = nodeNetwork({ clock: systemClock, random, tls }).connect({
      protocol: 'https',
      host: '127.0.0.1',
      port: listener.port,
    });
    await assert.rejects(askOver(endpoint), { code: 'CONNECT_FAILED' });
    appendFileSync(ca, `\n`);
    copyFileSync(authority.ca, ca);
    assert.equal(await tls.check(), true);
    assert.equal((await askOver(endpoint)).peer.encrypted, true);
    tls.close();
    await endpoint.close();
    await stop();
  });

  it('the files are looked at again and again', async () => {
    const clock = new ManualClock({ epochMs: Date.now() });
    const tls = await openTls({ ...server }, { clock, checkEveryMs: 1_000 });
    let looks = 0;
    const { check } = TlsFiles.prototype;
    tls.check = async () => {
      looks++;
      return check.call(tls);
    };
    await clock.advance(1_000);
    while (looks < 1) await new Promise((resolve) => setImmediate(resolve));
    tls.close();
  });
});

describe('files that cannot be used', () => {
  const rows: readonly (readonly [string, () => ConstructorParameters<typeof TlsFiles>[0], RegExp])[] = [
    [
      'no file',
      () => ({ ca: '/nowhere/ca.pem' }),
      /cannot read "\/nowhere\/ca\.pem" \(tls\.ca\): there is no such file/,
    ],
    ['a certificate without a key', () => ({ cert: server.cert }), /"tls\.cert" needs "tls\.key"/],
    ['a key without a certificate', () => ({ key: server.key }), /"tls\.key" needs "tls\.cert"/],
    [
      'a key of another one',
      () => ({ cert: server.cert, key: client.key }),
      /the key in ".*" \(tls\.key\) is not that of/,
    ],
    ['a key for a certificate', () => ({ cert: server.key, key: server.key }), /\(tls\.cert\) holds no certificate/],
    [
      'a certificate for a key',
      () => ({ cert: server.cert, key: copied(server.cert, 'x.key', 0o600) }),
      /no private key/,
    ],
    [
      'broken base64',
      () => ({ ca: text('-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n') }),
      /certificate 1 in/,
    ],
    ['no authority', () => ({ ca: server.cert }), /is not that of an authority: .*CN=server/],
    [
      'a key that others may read',
      () => ({ cert: server.cert, key: copied(server.key, 'open.key', 0o644) }),
      /mode 0644\): chmod 600/,
    ],
    [
      'an encrypted key',
      () => ({ cert: server.cert, key: text('-----BEGIN ENCRYPTED PRIVATE KEY-----\n') }),
      /is encrypted/,
    ],
    [
      'clients without an authority',
      () => ({ ...server, clientAuth: 'require' }),
      /"tls\.clientAuth" is require, but no/,
    ],
    ['a file of 2 MB', () => ({ ca: text('x'.repeat(2_000_000)) }), /has 2000000 bytes; the limit is 1048576/],
  ];
  const copied = (from: string, name: string, mode: number): string => {
    const path = join(authority.folder, name);
    copyFileSync(from, path);
    chmodSync(path, mode);
    return path;
  };
  let texts = 0;
  const text = (content: string): string => {
    const path = join(authority.folder, `text-${texts++}`);
    writeFileSync(path, content, { mode: 0o600 });
    return path;
  };
  for (const [claim, options, message] of rows) {
    it(`${claim}: the refusal names setting, file and reason`, async () => {
      await assert.rejects(open(options()), { code: 'CONFIG_INVALID', message });
    });
  }

  it('a listener needs a certificate, and a network a configuration', async () => {
    const network = nodeNetwork({ clock: systemClock, random });
    const bind = { host: '127.0.0.1', port: 0, tls: true };
    await assert.rejects(
      network.listen(bind, async () => assert.fail()),
      { code: 'CONFIG_INVALID' },
    );
    const tls = await open({ ca: authority.ca });
    const clientsOnly = nodeNetwork({ clock: systemClock, random, tls });
    await assert.rejects(
      clientsOnly.listen(bind, async () => assert.fail()),
      {
        code: 'CONFIG_INVALID',
        message: /needs "tls\.cert" and "tls\.key"/,
      },
    );
    tls.close();
  });
});

describe('the time of a certificate', () => {
  it('its end is a metric, a warning two weeks before, an error from then on, and never a crash', async () => {
    const clock = new ManualClock({ epochMs: Date.now() });
    const logger = recorder();
    const days: number[] = [];
    const series = { set: (value: number) => void days.push(value), add() {}, record() {} };
    const family = { with: () => series };
    const meter = { counter: () => family, gauge: () => family, histogram: () => family };
    const issued = authority.issue({ name: 'short', names: own, to: stamp(20) });
    const tls = await openTls(issued, { clock, logger, meter });
    assert.equal(Math.round(days.at(-1) ?? 0), 20);
    assert.equal(logger.lines.length, 0);
    clock.jumpWall(7 * 86_400_000);
    await tls.check();
    await tls.check();
    assert.deepEqual(
      logger.lines.map(({ level, message }) => [level, message]),
      [['warn', 'TLS: the certificate expires soon: replace its file']],
    );
    clock.jumpWall(14 * 86_400_000);
    await tls.check();
    assert.equal(logger.lines.at(-1)?.level, 'error');
    assert.match(logger.lines.at(-1)?.message ?? '', /^TLS: the certificate expired at /);
    assert.equal(Math.round(days.at(-1) ?? 0), -1);
    tls.close();
  });
});
