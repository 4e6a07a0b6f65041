import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { systemClock } from '@flotilla/core';
import { freePort } from '../src/dev/engines/free-port.ts';
import { type ProcessState, supervise } from '../src/dev/engines/supervisor.ts';
import type { ProcessPlan } from '../src/dev/process-plan.ts';

const folder = mkdtempSync(join(tmpdir(), 'flotilla-supervisor-'));
const broken = join(folder, 'broken');
after(() => rmSync(folder, { recursive: true, force: true }));

async function begun(env: Record<string, string> = {}) {
  const port = await freePort('127.0.0.1', 0, new Set());
  const plan: ProcessPlan = {
    name: 'fixture',
    copy: 1,
    program: fileURLToPath(new URL('fixtures/server.ts', import.meta.url)),
    args: [],
    env: { FLOTILLA_PORT: String(port), FIXTURE_BROKEN: broken, ...env },
    files: new Set(),
    stage: 0,
  };
  const states: ProcessState[] = [];
  const reasons: string[] = [];
  const waiting = new Map<ProcessState, () => void>();
  const lines = new Map<string, () => void>();
  const printed = (text: string): Promise<void> => new Promise((resolve) => lines.set(text, resolve));
  const supervised = supervise(plan, systemClock, {
    changed({ state }, why) {
      states.push(state);
      if (why) reasons.push(why);
      waiting.get(state)?.();
      waiting.delete(state);
    },
    outdated() {},
    line: (_, text) => lines.get(text)?.(),
  });
  const reached = (state: ProcessState): Promise<void> => new Promise((resolve) => waiting.set(state, resolve));
  return { supervised, states, reasons, reached, printed, ask: () => ask(port) };
}

async function started() {
  const begin = await begun();
  await begin.supervised.firstServing;
  return begin;
}

/** One request on a connection of its own; resolves with the process id that answered. */
function ask(port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const outgoing = request({ host: '127.0.0.1', port, agent: false }, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => {
        text += chunk;
      });
      response.on('end', () => resolve(Number(text)));
    });
    outgoing.on('error', reject);
    outgoing.end();
  });
}

test('a process is replaced three times under load, and no request is refused', async () => {
  const { supervised, ask } = await started();
  const answeredBy = new Set<number>();
  let failures = 0;
  let loading = true;
  const load = async (): Promise<void> => {
    for (let sent = 0; loading && sent < 20_000; sent++) {
      await ask().then(
        (pid) => answeredBy.add(pid),
        () => failures++,
      );
    }
  };
  const loads = [load(), load(), load()];
  try {
    for (let round = 0; round < 3; round++) await supervised.replace();
    await ask().then((pid) => answeredBy.add(pid));
  } finally {
    loading = false;
    await Promise.all(loads);
    await supervised.stop();
  }
  assert.equal(failures, 0);
  assert.ok(answeredBy.size >= 2, `answered by ${answeredBy.size} processes`);
});

test('when the successor does not start, the process from before goes on, and the reason is told', async () => {
  const { supervised, reasons, ask } = await started();
  try {
    const before = await ask();
    writeFileSync(broken, '');
    await supervised.replace();
    assert.equal(await ask(), before);
    assert.equal(supervised.view.state, 'serving');
    assert.match(reasons.join('\n'), /told to fail.*the process from before goes on/);
  } finally {
    rmSync(broken, { force: true });
    await supervised.stop();
  }
});

test('a process that ends by itself is started again', async () => {
  const { supervised, reached, reasons, ask } = await started();
  try {
    const before = supervised.view.pid ?? 0;
    const waiting = reached('waiting');
    process.kill(before, 'SIGKILL');
    await waiting;
    const serving = reached('serving');
    await serving;
    assert.notEqual(await ask(), before);
    assert.match(reasons.join('\n'), /ended by SIGKILL; started again in 500 ms/);
  } finally {
    await supervised.stop();
  }
});

test('stopping drains; nothing is left', async () => {
  const { supervised, states } = await started();
  await supervised.stop();
  assert.deepEqual(states.slice(-2), ['stopping', 'stopped']);
  await supervised.stop();
});

test('a process that is told to stop while it starts does not outlive it', async () => {
  const { supervised, states, printed } = await begun({ FIXTURE_STUCK: '1' });
  await printed('stuck');
  await supervised.stop();
  assert.deepEqual(states, ['starting', 'stopping', 'stopped']);
});
