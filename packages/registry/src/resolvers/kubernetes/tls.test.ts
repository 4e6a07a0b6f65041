import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { systemClock, systemRandom } from '@flotilla/core';
import { until } from '@flotilla/core/testing';
import { nodeNetwork } from '@flotilla/http/node';
import { type RecordedLine, recordingLogger } from '../../testing/recording-logger.ts';
import { follow } from '../../testing/resolver-contract.ts';
import { kubernetesDiscovery } from './kubernetes-discovery.ts';

const run = promisify(execFile);

test('the API server is trusted by the CA that is named, and by no other; the token goes along', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'flotilla-ca-'));
  const file = (name: string): string => join(folder, name);
  const made = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'];
  const names = ['-subj', '/CN=api', '-addext', 'subjectAltName=IP:127.0.0.1'];
  await run('openssl', [...made, ...names, '-keyout', file('key.pem'), '-out', file('cert.pem')]);
  await writeFile(file('token'), 'sesame\n');
  const [cert, key] = await Promise.all([readFile(file('cert.pem')), readFile(file('key.pem'))]);
  const tokens = new Set<string | undefined>();
  const slice = {
    metadata: { name: 'a', resourceVersion: '7' },
    endpoints: [{ addresses: ['10.0.0.1'] }],
    ports: [{ name: 'http', port: 8080 }],
  };
  const server = createServer({ cert, key }, (request, response) => {
    tokens.add(request.headers.authorization);
    response.writeHead(200, { 'content-type': 'application/json' });
    if (request.url?.includes('watch=1')) response.flushHeaders();
    else response.end(JSON.stringify({ metadata: { resourceVersion: '7' }, items: [slice] }));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const network = nodeNetwork({ clock: systemClock, random: systemRandom });
  const lines: RecordedLine[] = [];
  const open = (query: string): ReturnType<typeof kubernetesDiscovery> => {
    const urls = [`kubernetes+https://127.0.0.1:${port}?${query}`];
    return kubernetesDiscovery({
      urls,
      network,
      clock: systemClock,
      random: systemRandom,
      logger: recordingLogger(lines),
    });
  };
  const trusting = open(`ca-file=${file('cert.pem')}&token-file=${file('token')}`);
  const distrusting = open('');
  try {
    const seen = follow(trusting, { service: 'orders' });
    await until('it', () => seen.hosts() === '10.0.0.1');
    assert.deepEqual([...tokens], ['Bearer sesame']);
    const unseen = follow(distrusting, { service: 'orders' });
    await until('it is said', () => lines.some(({ message }) => message.includes('cannot be reached')));
    assert.equal(unseen.sets.length, 0);
  } finally {
    await Promise.all([trusting.close(), distrusting.close()]);
    server.closeAllConnections();
    server.close();
    await rm(folder, { recursive: true });
  }
});
