import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { type LogFields, type Logger, nullLogger, type Resolver, systemClock } from '@flotilla/core';
import { ManualClock, seededRandom } from '@flotilla/core/testing';
import { memoryNetwork } from '@flotilla/http/memory';
import { createLastGoodFile } from './engines/last-good-file.ts';
import type { Gateway } from './gateway.ts';
import { createGateway } from './routing-gateway.ts';
import { watchRoutes } from './watch-routes.ts';

const good = (id: string): string => `routes:\n  - id: ${id}\n    path: /**\n    to: service://web\n`;
const bad = 'routes:\n  - id: broken\n    pth: /**\n    to: service://web\n';

describe('a route file', () => {
  let directory = '';
  let path = '';
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'gateway-routes-'));
    path = join(directory, 'gateway.yaml');
  });
  afterEach(() => rm(directory, { recursive: true }));

  it('is applied at the start and after each change', async () => {
    await writeFile(path, good('one'));
    const gateway = emptyGateway();
    const watch = await watchRoutes(path, gateway, { clock: systemClock });
    assert.deepEqual(idsOf(gateway), ['one']);
    const changed = appliedTo(gateway, 2);
    await writeFile(path, good('two'));
    await changed;
    assert.deepEqual(idsOf(gateway), ['two']);
    await watch.close();
    await gateway.close();
  });

  it('with mistakes changes nothing, and the log names each with its line', async () => {
    await writeFile(path, good('one'));
    const gateway = emptyGateway();
    const { logger, line } = nextError();
    const watch = await watchRoutes(path, gateway, { clock: systemClock, logger });
    await writeFile(path, bad);
    const { message, fields } = await line;
    assert.equal(message, 'route file refused; the routes before stay');
    assert.match(String(fields['mistakes']), /gateway\.yaml:3:\d+: .*"pth".*did you mean "path"/);
    assert.deepEqual(idsOf(gateway), ['one']);
    await watch.close();
    await gateway.close();
  });

  it('that cannot be used at the start is an error, and nothing is watched', async () => {
    const gateway = emptyGateway();
    await assert.rejects(watchRoutes(path, gateway, { clock: systemClock }), { code: 'CONFIG_INVALID' });
    await writeFile(path, bad);
    await assert.rejects(watchRoutes(path, gateway, { clock: systemClock }), { code: 'CONFIG_INVALID' });
    assert.equal(gateway.version, 0);
    await gateway.close();
  });

  it('with mistakes at the start gives way to its last good version', async () => {
    const lastGood = createLastGoodFile(join(directory, 'state', 'routes.yaml'));
    await writeFile(path, good('one'));
    const first = emptyGateway();
    await (await watchRoutes(path, first, { clock: systemClock, lastGood })).close();
    await first.close();
    assert.equal(await readFile(join(directory, 'state', 'routes.yaml'), 'utf8'), good('one'));

    await writeFile(path, bad);
    const second = emptyGateway();
    const { logger, line } = nextError();
    const watch = await watchRoutes(path, second, { clock: systemClock, lastGood, logger });
    assert.equal((await line).message, 'route file refused; starting with the last good version of it');
    assert.deepEqual(idsOf(second), ['one']);
    await watch.close();
    await second.close();
  });

  it('is left alone after close, which may be called twice', async () => {
    await writeFile(path, good('one'));
    const gateway = emptyGateway();
    const clock = new ManualClock();
    const watch = await watchRoutes(path, gateway, { clock });
    assert.equal(watch.close(), watch.close());
    await watch.close();
    await writeFile(path, good('two'));
    await clock.advance(10_000);
    assert.deepEqual(idsOf(gateway), ['one']);
    assert.equal(clock.pendingTimers, 0);
    await gateway.close();
  });
});

const nobody: Resolver = { watch: () => ({ close() {} }) };

function emptyGateway(): Gateway {
  const needs = { clock: systemClock, random: seededRandom(3) };
  return createGateway({ ...needs, network: memoryNetwork(needs), resolver: nobody });
}

function idsOf(gateway: Gateway): readonly string[] {
  return gateway.routes().map(({ id }) => id);
}

/** Resolves when the gateway has a version; the file is watched in real time. */
function appliedTo(gateway: Gateway, version: number): Promise<void> {
  return new Promise((resolve) => {
    const look = (): void => {
      if (gateway.version >= version) resolve();
      else systemClock.setTimer(5, look);
    };
    look();
  });
}

function nextError(): { logger: Logger; line: Promise<{ message: string; fields: LogFields }> } {
  const { promise, resolve } = Promise.withResolvers<{ message: string; fields: LogFields }>();
  const logger: Logger = { ...nullLogger, error: (message, fields = {}) => resolve({ message, fields }) };
  return { logger, line: promise };
}
