import { copyFileSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { setTimeout as pauseFor } from 'node:timers/promises';
import { Books } from './books.ts';
import { newCustomer, orderOf, ordersPath } from './buyer.ts';
import { HttpClient } from './client.ts';
import { type Fleet, host } from './fleet.ts';
import type { LoadOptions } from './load.ts';
import type { Scenario, Stage } from './scenario.ts';

/** A moment between two faults. */
const breathMs = 1_500;

const fakeTime = '/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1';

/** The service that answers browsers; the others are backends. */
const edge = 'web';

/** What is ordered in great numbers. */
const plentiful = 'ginger-tea';

const catalog = ['catalog.1', 'catalog.2'] as const;

/** As of many browsers: each connection is idle most of the time. */
const manyConnections = () => ({ maxConnections: 200, reuse: 'oldest' }) as const;

export const scenarios: readonly Scenario[] = [
  {
    id: 'backend-killed',
    title: 'one copy of each backend is killed (SIGKILL) and started again',
    allowed: 'truncated',
    async run(stage) {
      for (const name of backends(stage)) await killAndStart(stage, `${name}.1`);
    },
  },
  {
    id: 'edge-killed',
    title: 'one copy of the edge service is killed (SIGKILL) and started again',
    allowed: 'truncated',
    run: (stage) => killAndStart(stage, `${edge}.1`),
  },
  {
    id: 'services-restarted',
    title: 'every service process is restarted, one after the other',
    allowed: 'nothing',
    async run(stage) {
      for (const unit of [...stage.fleet.services.values()].flat()) await restart(stage, unit.name);
    },
  },
  {
    id: 'rolling-restart',
    title: 'every process is restarted, one after the other: registry, services, gateway',
    allowed: 'nothing',
    longOnly: true,
    async run(stage) {
      for (const { name } of stage.fleet.units) await restart(stage, name);
    },
  },
  {
    id: 'gateway-restarted',
    title: 'the only gateway is restarted three times under 200 connections; its socket waits',
    allowed: 'nothing',
    load: manyConnections,
    async run(stage) {
      for (let time = 0; time < 3; time++) {
        await stage.pause(2_000); // until all of them are open and idle
        await restart(stage, 'gateway.1');
      }
    },
  },
  {
    id: 'gateways-in-turn',
    title: 'two gateways on one socket are restarted in turn',
    allowed: 'nothing',
    fleet: { gateways: 2 },
    load: manyConnections,
    async run(stage) {
      for (const { name } of stage.fleet.gateways) await restart(stage, name);
    },
  },
  {
    id: 'orders-through-restarts',
    title: 'orders are placed (POST, nothing is sent twice) while services and gateway are restarted',
    allowed: 'nothing',
    load: orderLoad,
    async run(stage) {
      for (const [first, ...others] of stage.fleet.services.values()) {
        for (const unit of stage.long ? [first, ...others] : [first]) if (unit) await restart(stage, unit.name);
      }
      for (const { name } of stage.fleet.gateways) await restart(stage, name);
    },
  },
  {
    id: 'routes-reloaded',
    title: 'routes are changed again and again, once to nonsense',
    allowed: 'nothing',
    run: reloadRoutes,
  },
  {
    id: 'registry-stopped',
    title: 'the registry is away; meanwhile a copy of the edge is killed and started again',
    allowed: 'truncated',
    async run(stage) {
      const { registry } = stage.fleet;
      stage.mark('registry stopped');
      await registry.stop();
      await stage.pause(10_000, 3_000);
      await killAndStart(stage, `${edge}.2`);
      await stage.pause(50_000, 50_000); // a minute in all
      stage.mark('registry started');
      await registry.start();
      await stage.pause(35_000, 5_000);
    },
  },
  {
    id: 'registry-emptied',
    title: 'the registry is killed (SIGKILL) and comes back without its snapshot',
    allowed: 'nothing',
    async run(stage) {
      const { registry, snapshotFile } = stage.fleet;
      stage.mark('registry killed');
      await registry.kill();
      rmSync(snapshotFile, { force: true });
      await stage.pause(5_000, 1_000);
      stage.mark('registry started, empty');
      await registry.start();
      await stage.pause(130_000, 38_000); // longer than all it takes until everybody is listed again
      await everybodyIsListed(stage);
    },
  },
  {
    id: 'both-killed',
    title: 'both copies of a backend are killed (SIGKILL) and started again',
    allowed: 'some',
    async run(stage) {
      const units = catalog.map((name) => stage.fleet.unit(name));
      stage.mark('both catalogs killed');
      await Promise.all(units.map((unit) => unit.kill()));
      await stage.pause(1_000);
      await Promise.all(units.map((unit) => unit.start()));
      stage.mark('both started');
      await stage.pause(4_000);
    },
  },
  {
    id: 'backend-hangs',
    title: 'one copy of a backend hangs (SIGSTOP) and goes on later',
    allowed: 'some',
    async run(stage) {
      const unit = stage.fleet.unit(catalog[0]);
      stage.mark('catalog.1 hangs');
      unit.hang();
      await stage.pause(20_000, 8_000);
      unit.goOn();
      stage.mark('it goes on');
      await stage.pause(4_000, 2_000);
    },
  },
  {
    id: 'clocks-jump',
    title: 'wall clocks jump: of the services an hour forward and back, of the registry an hour back and a day forward',
    allowed: 'nothing',
    longOnly: true,
    lacks: () => (existsSync(fakeTime) ? undefined : 'libfaketime (Debian: apt-get install faketime)'),
    fleet: { env: fakeClock },
    run: jumpClocks,
  },
  {
    id: 'idle-and-slow',
    title: '1,000 idle connections, and 50 clients that send one byte a second',
    allowed: 'nothing',
    run: crowd,
  },
];

async function orderLoad(fleet: Fleet): Promise<Partial<LoadOptions>> {
  const books = new Books(fleet.dataFolder);
  books.deliver(plentiful, 100_000);
  books.close();
  const client = new HttpClient({ host, port: fleet.gatewayPort, maxConnections: 1 });
  const customer = await newCustomer(client);
  client.close();
  return { path: ordersPath, ratePerSecond: 10, request: () => orderOf(customer, plentiful) };
}

function backends({ fleet }: Stage): string[] {
  return [...fleet.services.keys()].filter((name) => name !== edge);
}

async function killAndStart({ fleet, mark, pause }: Stage, name: string): Promise<void> {
  const unit = fleet.unit(name);
  mark(`${name} killed`);
  await unit.kill();
  await pause(breathMs);
  await unit.start();
  mark(`${name} back`);
  await pause(breathMs);
}

async function restart({ fleet, mark, pause }: Stage, name: string): Promise<void> {
  mark(`${name} restarts`);
  await fleet.unit(name).restart();
  await pause(breathMs, 500);
}

async function reloadRoutes({ fleet, mark, long }: Stage): Promise<void> {
  const { routesFile } = fleet;
  const original = readFileSync(routesFile, 'utf8');
  copyFileSync(routesFile, `${routesFile}.before`);
  mark('routes change');
  for (let change = 1; change <= (long ? 60 : 20); change++) {
    const extra = `\n  - { id: extra-${change}, path: /extra/${change}, to: "http://127.0.0.1:1", auth: public }\n`;
    writeFileSync(routesFile, change % 7 === 0 ? 'routes: [nonsense' : `${original.trimEnd()}${extra}`);
    await pauseFor(150);
  }
  writeFileSync(routesFile, original);
}

async function everybodyIsListed({ fleet }: Stage): Promise<void> {
  const answer = await fetch(`${fleet.registryUrl}/v1/instances`);
  const { instances } = (await answer.json()) as { readonly instances: readonly { readonly status: string }[] };
  const up = instances.filter(({ status }) => status === 'up').length;
  const expected = [...fleet.services.values()].flat().length;
  if (up !== expected) throw new Error(`the registry lists ${up} instances that are up; ${expected} run`);
}

/** Each process reads how far its wall clock is off from a file, once a second; monotonic time goes on. */
function fakeClock(unit: string, folder: string): Record<string, string> {
  const file = clockFile(folder, unit === 'registry' ? 'registry' : 'others');
  writeFileSync(file, '+0');
  return {
    LD_PRELOAD: fakeTime,
    FAKETIME_TIMESTAMP_FILE: file,
    FAKETIME_CACHE_DURATION: '1',
    FAKETIME_DONT_FAKE_MONOTONIC: '1',
    FAKETIME_DONT_RESET: '1',
  };
}

function clockFile(folder: string, whose: 'registry' | 'others'): string {
  return join(folder, `clock-${whose}`);
}

async function jumpClocks({ fleet, mark, pause }: Stage): Promise<void> {
  const jump = async (whose: 'registry' | 'others', by: string): Promise<void> => {
    mark(`${whose}: ${by}`);
    writeFileSync(clockFile(fleet.folder, whose), by);
    await pause(6_000);
  };
  await jump('others', '+1h');
  await restart({ fleet, mark, pause, long: true }, 'catalog.1');
  await jump('others', '-1h');
  await restart({ fleet, mark, pause, long: true }, 'catalog.2');
  await jump('registry', '-1h');
  await jump('registry', '+1d');
  await restart({ fleet, mark, pause, long: true }, 'web.1');
  await pause(40_000); // everybody renews in this time
  await everybodyIsListed({ fleet, mark, pause, long: true });
}

/** Strangers from addresses of their own, so that no limit per address is met. */
async function crowd({ fleet, mark, pause }: Stage): Promise<void> {
  const open: Socket[] = [];
  const enter = (localAddress: string): Socket => {
    const socket = connect({ host, port: fleet.gatewayPort, localAddress });
    socket.on('error', () => {}).resume();
    open.push(socket);
    return socket;
  };
  mark('1,000 idle connections');
  const request = `GET / HTTP/1.1\r\nhost: ${host}\r\n\r\n`;
  for (let index = 0; index < 1_000; index++) {
    enter(`127.0.0.${2 + (index % 2)}`).write(request); // idle after one answer
    if (index % 50 === 0) await pauseFor(20);
  }
  mark('50 slow clients');
  const slow = Array.from({ length: 50 }, () => enter('127.0.0.4'));
  let sent = 0;
  const drip = setInterval(() => {
    for (const socket of slow) if (!socket.destroyed) socket.write(request[sent % request.length] ?? 'x');
    sent++;
  }, 1_000);
  await pause(20_000, 6_000);
  clearInterval(drip);
  for (const socket of open) socket.destroy();
}
