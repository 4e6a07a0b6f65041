import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import {
  effectiveStatus,
  formatHostPort,
  type Instance,
  type InstanceSet,
  type InstanceStatus,
  type Registrar,
  type Resolver,
  type Target,
} from '@flotilla/core';
import { anInstance } from './instances.ts';
import type { RecordedLine } from './recording-logger.ts';

/** An instance, as a source is made to list it: by an administrator or by programs that are not ours. */
export interface Listed {
  readonly host: string;
  readonly port?: number;
  /** Default `up`. */
  readonly status?: 'up' | 'draining';
}

/** A source of instances, and the resolver that reads it. */
export interface ContractWorld {
  readonly resolver: Resolver;
  /** Undefined where nothing can be registered. */
  readonly registrar: Registrar | undefined;
  readonly lines: readonly RecordedLine[];
  /** Makes the source list these, and nobody else, as the service. */
  list(service: string, listed: readonly Listed[]): Promise<void>;
  /** Makes it list one good instance, at 10.9.9.9, among as many bad ones of every kind as it can hold. */
  poison(service: string): Promise<void>;
  /** The source cannot be reached from now on, and can be again. */
  down(): Promise<void>;
  up(): Promise<void>;
  /** It knows nobody, for one answer; afterwards all that it knew. Undefined where nobody can make it. */
  emptyOnce?(service: string): Promise<void>;
  /** Waits, in whatever time the world has, until it is so. Rejects naming `what` when that takes too long. */
  until(what: string, holds: () => boolean): Promise<void>;
  /** Lets a time pass in which everything that would happen has happened. */
  quiet(): Promise<void>;
  /** Closes the discovery. */
  close(): Promise<void>;
  /** Timers, watches and connections that the discovery still has; after {@link close} there are none. */
  leftovers(): number;
  end(): Promise<void>;
}

/** What a source can, where not all can. */
export interface ContractTraits {
  /** It knows of draining. Default true. */
  readonly drains?: boolean;
  /** Instances can be registered there: the world has a registrar. */
  readonly registers: boolean;
  /** The world can make it answer emptily once. */
  readonly forgets: boolean;
  /** The most instances of one service that it is tried with. Default 10,000. */
  readonly most?: number;
}

const orders = { service: 'orders' };

/** What every resolver, and every registrar, of a source that is not ours does. */
export function resolverContract(name: string, open: () => Promise<ContractWorld>, traits: ContractTraits): void {
  const { drains = true, most = 10_000 } = traits;
  const check = (what: string, run: (world: ContractWorld) => Promise<void>): void => {
    test(`${name}: ${what}`, async () => {
      const world = await open();
      try {
        await run(world);
      } finally {
        await world.close();
        await world.end();
      }
    });
  };

  check('what is listed is seen, and a change is', async (world) => {
    await world.list('orders', [{ host: '10.0.0.1' }]);
    await world.list('users', [{ host: '10.0.7.7' }]);
    const seen = follow(world, orders);
    await world.until('the first', () => seen.hosts() === '10.0.0.1');
    await world.list('orders', [{ host: '10.0.0.1' }, { host: '10.0.0.2' }]);
    await world.until('the second', () => seen.hosts() === '10.0.0.1 10.0.0.2');
    await world.list('orders', [{ host: '10.0.0.2' }]);
    await world.until('the first gone', () => seen.hosts() === '10.0.0.2');
    const [only] = seen.last()?.instances ?? [];
    assert.equal(only?.identity.service, 'orders');
    assert.deepEqual(only?.addresses[0], { protocol: 'http', host: '10.0.0.2', port: 8080 });
  });

  if (drains) {
    check('one that drains is seen to', async (world) => {
      await world.list('orders', [{ host: '10.0.0.1' }, { host: '10.0.0.2' }]);
      const seen = follow(world, orders);
      await world.until('both', () => seen.hosts() === '10.0.0.1 10.0.0.2');
      await world.list('orders', [{ host: '10.0.0.1', status: 'draining' }, { host: '10.0.0.2' }]);
      await world.until('draining', () => seen.statusAt('10.0.0.1') === 'draining');
      assert.equal(seen.statusAt('10.0.0.2'), 'up');
    });
  }

  check('while the source is down the last list stays; when it is back its list counts', async (world) => {
    await world.list('orders', [{ host: '10.0.0.1' }, { host: '10.0.0.2' }]);
    const seen = follow(world, orders);
    await world.until('both', () => seen.hosts() === '10.0.0.1 10.0.0.2');
    await world.down();
    const told = seen.sets.length;
    await world.quiet();
    assert.equal(seen.sets.length, told, 'nobody is told anything');
    assert.equal(seen.hosts(), '10.0.0.1 10.0.0.2');
    assert.ok(linesAbout(world, 'cannot be reached').length <= 1, 'said once at most');
    await world.up();
    await world.list('orders', [{ host: '10.0.0.2' }, { host: '10.0.0.3' }]);
    await world.until('the new list', () => seen.hosts() === '10.0.0.2 10.0.0.3');
  });

  check('a source that is not there yet is no error', async (world) => {
    await world.down();
    const seen = follow(world, orders);
    await world.quiet();
    assert.equal(seen.sets.length, 0);
    await world.up();
    await world.list('orders', [{ host: '10.0.0.1' }]);
    await world.until('the list', () => seen.hosts() === '10.0.0.1');
  });

  check('an empty list is believed in the end', async (world) => {
    await world.list('orders', [{ host: '10.0.0.1' }]);
    const seen = follow(world, orders);
    await world.until('the first', () => seen.hosts() === '10.0.0.1');
    await world.list('orders', []);
    await world.until('nobody', () => seen.hosts() === '');
    await world.list('orders', [{ host: '10.0.0.2' }]);
    await world.until('another', () => seen.hosts() === '10.0.0.2');
  });

  if (traits.forgets) {
    check('one empty answer takes nobody out', async (world) => {
      await world.list('orders', [{ host: '10.0.0.1' }]);
      const seen = follow(world, orders);
      await world.until('the first', () => seen.hosts() === '10.0.0.1');
      await world.emptyOnce?.('orders');
      await world.quiet();
      assert.ok(
        seen.sets.every(({ instances }) => instances.length > 0),
        'nobody was told of an empty list',
      );
      await world.list('orders', [{ host: '10.0.0.2' }]);
      await world.until('the next list', () => seen.hosts() === '10.0.0.2');
    });
  }

  check('watches of one target share; a late one is told; one that throws harms nobody', async (world) => {
    await world.list('orders', [{ host: '10.0.0.1' }]);
    world.resolver.watch(orders, () => {
      throw new Error('mine');
    });
    const first = follow(world, orders);
    await world.until('the first', () => first.hosts() === '10.0.0.1');
    const second = follow(world, orders);
    await world.until('a late one', () => second.hosts() === '10.0.0.1');
    first.close();
    const told = first.sets.length;
    await world.list('orders', [{ host: '10.0.0.2' }]);
    await world.until('a change', () => second.hosts() === '10.0.0.2');
    assert.equal(first.sets.length, told, 'a closed one is told nothing more');
    assert.ok(linesAbout(world, 'a listener for instances failed').length > 0);
  });

  check('a bad entry is left out and said; the good one counts', async (world) => {
    const seen = follow(world, orders);
    await world.poison('orders');
    await world.until('the good one', () => seen.hosts().includes('10.9.9.9'));
    await world.quiet();
    assert.equal(seen.hosts(), '10.9.9.9');
    assert.ok(linesAbout(world, 'left out').length >= 1, 'it is said');
    assert.equal(({} as { polluted?: unknown }).polluted, undefined);
    await world.list('orders', [{ host: '10.0.0.1' }]);
    await world.until('a good list', () => seen.hosts() === '10.0.0.1');
  });

  check('nothing is told after the end, and nothing is left running', async (world) => {
    await world.list('orders', [{ host: '10.0.0.1' }]);
    const seen = follow(world, orders);
    await world.until('the first', () => seen.hosts() === '10.0.0.1');
    await world.close();
    const told = seen.sets.length;
    await world.list('orders', [{ host: '10.0.0.2' }]);
    await world.quiet();
    assert.equal(seen.sets.length, told);
    assert.equal(follow(world, orders).sets.length, 0);
    assert.equal(world.leftovers(), 0);
  });

  check(`${most} instances are listed, and old lists are not held`, async (world) => {
    const listed = Array.from({ length: most }, (_, index) => ({
      host: `10.${index >> 16}.${(index >> 8) & 255}.${index & 255}`,
      port: 8080,
    }));
    await world.list(
      'orders',
      listed.map((entry, index) => (index === 0 ? { ...entry, host: '10.200.0.1' } : entry)),
    );
    let last: InstanceSet | undefined;
    const before: WeakRef<InstanceSet>[] = [];
    world.resolver.watch(orders, (set) => {
      if (last) before.push(new WeakRef(last));
      last = set;
    });
    const size = (): number => last?.instances.length ?? 0;
    await world.until('all', () => size() === most);
    for (const round of [1, 2]) {
      await world.list('orders', listed.slice(round));
      await world.until('one less', () => size() === most - round);
    }
    await collectGarbage();
    assert.ok(before.length > 0);
    assert.equal(before.filter((set) => set.deref()).length, 0, 'only the last list is held');
  });

  if (traits.registers) registrarContract(check);
}

type Check = (what: string, run: (world: ContractWorld) => Promise<void>) => void;

function registrarContract(check: Check): void {
  const instance = (parts: Partial<Instance> = {}): Instance =>
    anInstance({ metadata: { rack: 'a7' }, incarnation: 5, startedAt: 1_767_225_600_000, ...parts });

  check('what is registered is seen, drains, and is gone', async (world) => {
    assert.ok(world.registrar);
    const seen = follow(world, orders);
    const registration = world.registrar.register(instance());
    await registration.announced;
    await world.until('it', () => seen.hosts() === '10.0.0.1');
    await registration.setStatus('draining');
    await world.until('draining', () => seen.statusAt('10.0.0.1') === 'draining');
    await registration.deregister();
    await world.until('gone', () => seen.hosts() === '');
  });

  check('what an instance says of itself arrives whole', async (world) => {
    assert.ok(world.registrar);
    const said = instance({
      id: 'orders/1 ü%',
      contracts: [{ name: 'catalog', version: 2, hash: 'h1' }],
      zone: 'eu-1',
      cluster: 'blue',
      weight: 3,
      metadata: { rack: 'a7', 'dotted.name': 'x'.repeat(700), 'flotilla.zone': 'mine', zone: 'also mine' },
      addresses: [
        { protocol: 'http', host: '10.0.0.1', port: 8080 },
        { protocol: 'rsocket', host: 'fd00::1', port: 7878 },
      ],
    });
    const seen = follow(world, orders);
    const byContract = follow(world, { contract: 'catalog' });
    const registration = world.registrar.register(said);
    await registration.announced;
    await world.until('it', () => seen.hosts() === '10.0.0.1' && byContract.hosts() === '10.0.0.1');
    const { bags: _, incarnation: __, ...arrived } = seen.last()?.instances[0] ?? instance();
    const { bags: ___, incarnation: ____, ...sent } = said;
    assert.deepEqual(arrived, sent);
    await registration.deregister();
    await world.until('gone', () => byContract.hosts() === '');
  });

  check('a registration that cannot be made yet is made when the source is there', async (world) => {
    assert.ok(world.registrar);
    await world.down();
    const registration = world.registrar.register(instance());
    await world.quiet();
    await world.up();
    const seen = follow(world, orders);
    await world.until('it', () => seen.hosts() === '10.0.0.1');
    await registration.deregister();
  });

  check('a change of weight and a status that comes back are seen', async (world) => {
    assert.ok(world.registrar);
    const seen = follow(world, orders);
    const registration = world.registrar.register(instance());
    await registration.setWeight(4);
    await world.until('the weight', () => seen.last()?.instances[0]?.weight === 4);
    await registration.setStatus('out-of-service');
    await world.until('out', () => seen.statusAt('10.0.0.1') === 'out-of-service');
    await registration.setStatus('up');
    await world.until('back', () => seen.statusAt('10.0.0.1') === 'up');
    await registration.deregister();
    await world.until('gone', () => seen.hosts() === '');
  });
}

/** All that a watch is told. */
export function follow(
  world: Pick<ContractWorld, 'resolver'>,
  target: Target,
): {
  sets: InstanceSet[];
  last(): InstanceSet | undefined;
  hosts(): string;
  statusAt(host: string): InstanceStatus | undefined;
  close(): void;
} {
  const sets: InstanceSet[] = [];
  const watch = world.resolver.watch(target, (set) => sets.push(set));
  const last = (): InstanceSet | undefined => sets.at(-1);
  const hostOf = ({ addresses: [first] }: Instance): string => (first ? first.host : '');
  return {
    sets,
    last,
    hosts: () => (last()?.instances ?? []).map(hostOf).sort().join(' '),
    statusAt(host) {
      const instance = last()?.instances.find((candidate) => hostOf(candidate) === host);
      return instance && effectiveStatus(instance);
    },
    close: () => watch.close(),
  };
}

/** A host and its port, as sources name them. */
export function placeOf({ host, port = 8080 }: Listed): string {
  return formatHostPort({ host, port });
}

function linesAbout({ lines }: ContractWorld, words: string): readonly RecordedLine[] {
  return lines.filter(({ message }) => message.includes(words));
}

async function collectGarbage(): Promise<void> {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  for (let round = 0; round < 4; round++) {
    await new Promise((resolve) => setImmediate(resolve));
    collect();
  }
}
