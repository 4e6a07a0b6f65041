import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { after, afterEach, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { systemClock, systemRandom } from '@flotilla/core';
import { routesHandler } from '@flotilla/http';
import { nodeNetwork } from '@flotilla/http/node';
import { createRegistry, registryRoutes } from '@flotilla/registry/server';
import { loadProcessConfig } from '../src/engines/process/process-config.ts';
import { serviceSchema } from '../src/platform-settings.ts';
import { type Child, children } from './child.ts';

const program = fileURLToPath(new URL('fixtures/slow.ts', import.meta.url));
const processes = children();
const { folder } = processes;
afterEach(() => processes.killAll());
after(() => processes.remove());

/** Nothing listens there: port 1 is nobody's. */
const noRegistry = '--registry=http://127.0.0.1:1';

function start(flags: readonly string[], env: Record<string, string> = {}, cwd = folder): Child {
  return processes.start(program, ['--log.format=json', ...flags], env, cwd);
}

async function servingUrl(service: Child): Promise<{ url: string; management: string }> {
  return JSON.parse(await service.line(/"msg":"serving"/));
}

test('a misspelt flag, variable and key end the start at once, each with its place and the nearest name', async () => {
  writeFileSync(join(folder, 'flotilla.yaml'), 'services:\n  slow:\n    drianMs: 5\n');
  const service = start(['--prot=1'], { FLOTILLA_ZOEN: 'a' });
  const { code, text } = await service.ended;
  rmSync(join(folder, 'flotilla.yaml'));
  assert.equal(code, 1);
  assert.match(text, /flotilla\.yaml:3.*drianMs.*"drainMs"/);
  assert.match(text, /--prot.*--port/);
  assert.match(text, /FLOTILLA_ZOEN.*FLOTILLA_ZONE/);
});

test('a port that is taken ends the start with the address and what to do', async () => {
  const taken = createServer();
  await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
  const { port } = taken.address() as { port: number };
  const { code, text } = await start([noRegistry, `--port=${port}`]).ended;
  taken.close();
  assert.equal(code, 1);
  assert.match(text, new RegExp(`ADDRESS_IN_USE: 127\\.0\\.0\\.1:${port} is taken`));
});

test('a management port that others could reach wants credentials', async () => {
  const { code, text } = await start([noRegistry, '--management.bind=0.0.0.0']).ended;
  assert.equal(code, 1);
  assert.match(text, /CONFIG_INVALID.*management\.user and management\.password/);
});

test('a registry that cannot be reached is no reason not to serve; it is told when it appears', async () => {
  const clock = systemClock;
  const foundation = { clock, random: systemRandom };
  const network = nodeNetwork(foundation);
  const probe = await network.listen({ host: '127.0.0.1', port: 0 }, routesHandler([]));
  const { port } = probe;
  await probe.drain(0);
  const service = start([`--registry=http://127.0.0.1:${port}`, '--drain-notice-ms=0']);
  await servingUrl(service);
  await service.line(/no registry can be reached/);
  const registry = createRegistry(foundation);
  await registry.start();
  const listener = await network.listen({ host: '127.0.0.1', port }, routesHandler(registryRoutes(registry)));
  await service.line(/"msg":"registered"/);
  assert.equal([...registry.named('slow')].length, 1);
  service.process.kill('SIGTERM');
  assert.equal((await service.ended).code, 0);
  assert.equal([...registry.named('slow')].length, 0, 'it left as it should');
  const drained = listener.drain(1_000);
  await registry.stop('the test is over');
  await drained;
});

test('SIGTERM lets the call in hand end, and refuses nobody who was in', async () => {
  const service = start([noRegistry, '--drain-notice-ms=0']);
  const { url, management } = await servingUrl(service);
  assert.equal((await fetch(`${management}/health/ready`)).status, 200);
  const answer = fetch(`${url}/wait`);
  await service.line(/^waiting$/);
  const releasing = fetch(`${url}/release`, { method: 'POST' });
  service.process.kill('SIGTERM');
  assert.equal((await releasing).status, 204);
  assert.deepEqual(await (await answer).json(), { released: true });
  assert.equal((await service.ended).code, 0);
});

test('a second signal ends it at once and says what was lost', async () => {
  const service = start([noRegistry, '--drain-notice-ms=60000']);
  const { url } = await servingUrl(service);
  const lost = assert.rejects(fetch(`${url}/wait`));
  await service.line(/^waiting$/);
  service.process.kill('SIGTERM');
  await service.line(/"msg":"draining"/);
  service.process.kill('SIGTERM');
  const { code, text } = await service.ended;
  assert.equal(code, 1);
  assert.match(text, /second signal: ending at once.*"lost":"1 call"/);
  await lost;
});

test('a bug that nobody caught is logged, drained and ends the process with 1', async () => {
  const service = start([noRegistry, '--drain-notice-ms=0']);
  const { url } = await servingUrl(service);
  await fetch(`${url}/crash`, { method: 'POST' });
  const { code, text } = await service.ended;
  assert.equal(code, 1);
  assert.match(text, /something broke that nobody caught.*a bug that nobody caught/s);
});

test('the management port shows health, metrics and the configuration with secrets masked', async () => {
  const service = start([noRegistry, '--management.user=ops', '--settings.word=hi'], {
    FLOTILLA_MANAGEMENT_PASSWORD: 'correct-horse-9',
  });
  const { management } = await servingUrl(service);
  assert.equal((await fetch(`${management}/metrics`)).status, 401);
  const headers = { authorization: `Basic ${btoa('ops:correct-horse-9')}` };
  const ask = async (path: string): Promise<string> => (await fetch(`${management}${path}`, { headers })).text();
  assert.match(await ask('/metrics'), /^process_cpu_seconds_total /m);
  assert.match(await ask('/health/live'), /"live":true/);
  const origins: { key: string; value: unknown; where: string }[] = JSON.parse(await ask('/config'));
  const rowOf = (key: string) => origins.find((row) => row.key === key);
  assert.deepEqual(rowOf('settings.word'), {
    key: 'settings.word',
    value: 'hi',
    source: 'flag',
    where: '--settings.word',
  });
  assert.equal(rowOf('management.password')?.value, '***');
  assert.match(await ask('/contracts'), /"name":"slow"/);
});

test('a changed configuration file reaches the running process, whole or not at all', async () => {
  const own = mkdtempSync(join(folder, 'live-'));
  const write = (yaml: string): void => writeFileSync(join(own, 'flotilla.yaml'), `services:\n  slow: ${yaml}\n`);
  write('{ settings: { word: one } }');
  const service = start([noRegistry, '--drain-notice-ms=0'], {}, own);
  const { url, management } = await servingUrl(service);
  const word = async (): Promise<string> => ((await (await fetch(`${url}/word`)).json()) as { word: string }).word;
  const rowOf = async (key: string): Promise<unknown> => {
    const rows = (await (await fetch(`${management}/config`)).json()) as { key: string }[];
    return rows.find((row) => row.key === key);
  };
  assert.equal(await word(), 'one');

  write('{ port: 1, settings: { word: two } }');
  await service.line(/^word: one → two$/);
  assert.equal(await word(), 'two');
  assert.match(
    await service.line(/"msg":"configuration changed"/),
    /"key":"settings\.word","before":"one","after":"two"/,
  );
  assert.match(await service.line(/from the next start only/), /"key":"port","before":0,"after":1/);
  assert.deepEqual(await rowOf('port'), {
    key: 'port',
    value: 0,
    source: 'default',
    where: '',
    pending: { value: 1, source: 'file', where: 'flotilla.yaml:2' },
  });
  await service.line(/a listener of the settings failed/);

  write('{ settings: { wrod: three }, log: { level: debug } }');
  assert.match(await service.line(/changed configuration refused/), /wrod.*did you mean \\"word\\"/);
  assert.equal(await word(), 'two');

  write('{ settings: { word: four }, log: { level: error } }');
  await service.line(/^word: two → four$/);
  assert.deepEqual(await rowOf('log.level'), {
    key: 'log.level',
    value: 'error',
    source: 'file',
    where: 'flotilla.yaml:2',
  });
  const metrics = await (await fetch(`${management}/metrics`)).text();
  assert.match(metrics, /^flotilla_config_refreshes_total\{result="applied"\} 2$/m);
  assert.match(metrics, /^flotilla_config_refreshes_total\{result="refused"\} 1$/m);
  service.process.kill('SIGTERM');
  const { code, text } = await service.ended;
  assert.equal(code, 0);
  assert.doesNotMatch(text, /"msg":"draining"/, 'the level counts for lines, too');
});

test('policies are shown, followed and changed while the process runs', async () => {
  const own = mkdtempSync(join(folder, 'policies-'));
  const write = (yaml: string): void => writeFileSync(join(own, 'flotilla.yaml'), `services:\n  slow: ${yaml}\n`);
  write('{ server: { rateLimit: { ratePerSecond: 1000 } } }');
  const service = start([noRegistry, '--drain-notice-ms=0'], {}, own);
  const { url, management } = await servingUrl(service);
  const shown = async (): Promise<{ settings: { rateLimit: { burst: number } }; limit: number }> =>
    ((await (await fetch(`${management}/policies`)).json()) as { server: never }).server;
  const events = await fetch(`${management}/events`, { headers: { accept: 'text/event-stream' } });
  assert.equal(events.headers.get('content-type'), 'text/event-stream');
  assert.equal((await shown()).limit, 20);

  write('{ server: { rateLimit: { ratePerSecond: 0.01, burst: 1 } } }');
  await service.line(/"msg":"configuration changed".*server\.rateLimit\.burst/);
  assert.equal((await shown()).settings.rateLimit.burst, 1);
  assert.equal((await fetch(`${url}/word`)).status, 200);
  const refused = await fetch(`${url}/word`);
  assert.equal(refused.status, 429);
  const problem = (await refused.json()) as { executed: string; retryAfterMs: number };
  assert.equal(problem.executed, 'no');
  assert.ok(problem.retryAfterMs > 0);

  write('{ server: { concurrency: { minLimit: 9, maxLimit: 8 } } }');
  assert.match(await service.line(/changed configuration refused/), /concurrency\.maxLimit must be at least/);
  const reader = (events.body as ReadableStream<Uint8Array>).getReader();
  let text = '';
  while (!text.includes('"policy":"rateLimit","kind":"refused"')) {
    const { value, done } = await reader.read();
    assert.equal(done, false, text);
    text += new TextDecoder().decode(value);
  }
  service.process.kill('SIGTERM');
  assert.equal((await service.ended).code, 0, 'who follows the events holds nobody up');
  await reader.cancel().catch(() => {});
});

test('a new management password in its file counts at once, and a bad one changes nothing', async () => {
  const secretFile = join(folder, 'password');
  const write = (text: string): void => writeFileSync(secretFile, text, { mode: 0o600 });
  write('correct-horse-9');
  const service = start([noRegistry, '--management.user=ops'], { FLOTILLA_MANAGEMENT_PASSWORD_FILE: secretFile });
  const { management } = await servingUrl(service);
  const statusWith = async (password: string): Promise<number> =>
    (await fetch(`${management}/info`, { headers: { authorization: `Basic ${btoa(`ops:${password}`)}` } })).status;
  write('battery-staple-4');
  await service.line(/"msg":"configuration changed".*management\.password/);
  assert.deepEqual([await statusWith('correct-horse-9'), await statusWith('battery-staple-4')], [401, 200]);
  write('short');
  await service.line(/changed configuration refused/);
  assert.equal(await statusWith('battery-staple-4'), 200);
});

test('the management port describes the operations; the port of the service does so only when it is told to', async () => {
  const closed = start([noRegistry]);
  const { url, management } = await servingUrl(closed);
  const response = await fetch(`${management}/.well-known/openapi.json`);
  assert.equal(response.headers.get('content-type'), 'application/vnd.oai.openapi+json;version=3.1');
  const document = (await response.json()) as { servers: unknown; paths: Record<string, unknown> };
  assert.deepEqual(document.servers, [{ url }]);
  assert.deepEqual(Object.keys(document.paths), ['/wait', '/release', '/crash', '/word', '/keep']);
  const { linkset } = (await (await fetch(`${management}/.well-known/api-catalog`)).json()) as { linkset: unknown[] };
  assert.partialDeepStrictEqual(linkset, [{ anchor: url }]);
  assert.equal((await fetch(`${url}/.well-known/openapi.json`)).status, 404);

  const open = start([noRegistry, '--openapi=true']);
  const shown = await fetch(`${(await servingUrl(open)).url}/.well-known/openapi.json`);
  assert.deepEqual(((await shown.json()) as { paths: unknown }).paths, document.paths);
});

test('an operation gets as much as it takes, also more than a listener takes by itself', async () => {
  const service = start([noRegistry]);
  const { url } = await servingUrl(service);
  const post = (size: number) =>
    fetch(`${url}/keep`, {
      method: 'POST',
      headers: { 'content-type': 'application/octet-stream' },
      body: new Uint8Array(size),
    });
  assert.equal(await (await post(15_000_000)).text(), '15000000');
  assert.equal((await post(20_000_001)).status, 413);
});

test('a file of the configuration that was asked for has to be there', async () => {
  const spec = { schema: serviceSchema(undefined), section: ['services', 'slow'] };
  await assert.rejects(loadProcessConfig(spec, { files: ['absent.yaml'], args: [], env: {} }), {
    code: 'CONFIG_INVALID',
    message: /absent\.yaml: there is no such file/,
  });
});

test('a process whose reader is gone serves on, spends no time on its log, and ends when it is told to', async () => {
  const service = start([noRegistry, '--drain-notice-ms=0', '--log.level=debug']);
  const { url, management } = await servingUrl(service);
  await service.line(/no registry can be reached/);
  service.process.stdout.destroy();
  service.process.stderr.destroy();
  const processorSeconds = async (): Promise<number> => {
    const metrics = await (await fetch(`${management}/metrics`)).text();
    return Number(/^process_cpu_seconds_total ([\d.e-]+)$/m.exec(metrics)?.[1]);
  };
  const before = await processorSeconds();
  for (let call = 0; call < 100; call++) await (await fetch(`${url}/nothing-${call}`)).text();
  const spent = (await processorSeconds()) - before;
  assert.ok(spent < 2, `100 requests took ${spent} s of a processor`);
  service.process.kill('SIGTERM');
  assert.equal((await service.ended).code, 0);
});
