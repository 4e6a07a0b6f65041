import assert from 'node:assert/strict';
import { test } from 'node:test';
import { effectiveStatus, type Instance, type InstanceStatus } from '@flotilla/core';
import { seededRandom } from '@flotilla/core/testing';
import fc from 'fast-check';
import { anInstance } from '../testing/instances.ts';
import { type Change, type SeenChange, seenBy } from './change.ts';
import { LeaseTable } from './lease-table.ts';
import { registryLimits } from './limits.ts';

type Event =
  | { kind: 'register'; id: string; incarnation: number; lastsMs: number; contract: string }
  | { kind: 'renew'; id: string; incarnation: number | undefined }
  | { kind: 'status'; id: string; status: InstanceStatus; incarnation: number }
  | { kind: 'override'; id: string; status: InstanceStatus | undefined }
  | { kind: 'deregister'; id: string; incarnation: number | undefined }
  | { kind: 'wait'; ms: number };

const id = fc.constantFrom('a', 'b', 'c', 'd');
const incarnation = fc.integer({ min: 1, max: 4 });
const status = fc.constantFrom<InstanceStatus>('up', 'down', 'draining');
const event: fc.Arbitrary<Event> = fc.oneof(
  fc.record({
    kind: fc.constant('register' as const),
    id,
    incarnation,
    lastsMs: fc.constantFrom(5_000, 20_000, 90_000),
    contract: fc.constantFrom('catalog', 'search'),
  }),
  fc.record({ kind: fc.constant('renew' as const), id, incarnation: fc.option(incarnation, { nil: undefined }) }),
  fc.record({ kind: fc.constant('status' as const), id, status, incarnation }),
  fc.record({ kind: fc.constant('override' as const), id, status: fc.option(status, { nil: undefined }) }),
  fc.record({ kind: fc.constant('deregister' as const), id, incarnation: fc.option(incarnation, { nil: undefined }) }),
  fc.record({ kind: fc.constant('wait' as const), ms: fc.constantFrom(1, 4_999, 5_000, 20_000, 90_000, 300_000) }),
);
const history = fc.array(event, { maxLength: 60 });

/** What the naive registry holds of an instance: four facts and an expiry, no heap, no ring, no steps. */
interface Row {
  incarnation: number;
  status: InstanceStatus;
  override: InstanceStatus | undefined;
  contract: string;
  lastsMs: number;
  expiresAt: number;
}

/** Looks at everything each time. Services of fewer than five instances, so self-preservation stays out. */
class NaiveRegistry {
  now = 0;
  rows = new Map<string, Row>();
  /** Everything that ever left, oldest first. */
  gone: { id: string; incarnation: number; evicted: boolean; override: InstanceStatus | undefined; until: number }[] =
    [];
  longestMs = 90_000;

  apply(happened: Event): void {
    if (happened.kind === 'wait') this.wait(happened.ms);
    else if (happened.kind === 'register') this.register(happened);
    else this.hear(happened);
  }

  hear(happened: Exclude<Event, { kind: 'wait' | 'register' }>): void {
    const row = this.rows.get(happened.id);
    if (!row) {
      if (happened.kind === 'deregister' && happened.incarnation !== undefined)
        this.remember(happened.id, happened.incarnation);
      return;
    }
    if (happened.kind === 'override') row.override = happened.status;
    if (happened.kind === 'renew' && (happened.incarnation ?? 0) <= row.incarnation)
      row.expiresAt = this.now + row.lastsMs;
    if (happened.kind === 'status' && happened.incarnation >= row.incarnation) {
      Object.assign(row, {
        status: happened.status,
        incarnation: happened.incarnation,
        expiresAt: this.now + row.lastsMs,
      });
    }
    if (happened.kind === 'deregister' && (happened.incarnation ?? Infinity) >= row.incarnation) {
      this.leave(happened.id, false);
      // Of a life that was never heard of here: that is the one that must not come back.
      if (happened.incarnation !== undefined) this.remember(happened.id, happened.incarnation);
    }
  }

  register({ id: who, incarnation: given, lastsMs, contract }: Extract<Event, { kind: 'register' }>): void {
    const row = this.rows.get(who);
    if (row && row.incarnation > given) {
      row.expiresAt = this.now + row.lastsMs;
      return;
    }
    const last = this.gone.findLast((left) => left.id === who && left.until > this.now);
    if (!row && last && (last.evicted ? given < last.incarnation : given <= last.incarnation)) return;
    const override = row ? row.override : last?.override;
    this.longestMs = Math.max(this.longestMs, lastsMs);
    this.gone = this.gone.filter((left) => left.id !== who);
    this.rows.set(who, {
      incarnation: given,
      status: 'up',
      override,
      contract,
      lastsMs,
      expiresAt: this.now + lastsMs,
    });
  }

  /** A farewell of somebody unknown. */
  remember(who: string, given: number): void {
    const last = this.gone.findLast((left) => left.id === who && left.until > this.now);
    const incarnation = Math.max(given, last?.incarnation ?? 0);
    this.gone.push({ id: who, incarnation, evicted: false, override: undefined, until: this.now + 3 * this.longestMs });
  }

  wait(ms: number): void {
    const until = this.now + ms;
    const due = [...this.rows]
      .filter(([, row]) => row.expiresAt <= until)
      .sort(([, x], [, y]) => x.expiresAt - y.expiresAt);
    for (const [who, row] of due) {
      this.now = row.expiresAt;
      this.leave(who, true);
    }
    this.now = until;
  }

  leave(who: string, evicted: boolean): void {
    const row = this.rows.get(who);
    if (!row) return;
    const override = evicted ? row.override : undefined;
    this.gone.push({ id: who, incarnation: row.incarnation, evicted, override, until: this.now + 3 * this.longestMs });
    this.rows.delete(who);
  }

  listed(): unknown[] {
    return [...this.rows]
      .map(([who, { incarnation: given, status: own, override, contract }]) => [who, given, override ?? own, contract])
      .sort();
  }
}

/** Drives a table as the registry does: a sweep at each instant at which a lease may lapse. */
class Driver {
  now = 0;
  readonly changes: Change[] = [];
  readonly table = new LeaseTable(registryLimits, seededRandom(1), (change) => this.changes.push(change));

  get moment() {
    return { at: this.now, wallAt: 1_800_000_000_000 + this.now };
  }

  apply(happened: Event): void {
    if (happened.kind === 'wait') this.wait(happened.ms);
    else this.tell(happened);
  }

  tell(happened: Exclude<Event, { kind: 'wait' }>): void {
    const key = { service: 'orders', id: happened.id };
    if (happened.kind === 'register') {
      const lease = { renewEveryMs: 1_000, lastsMs: happened.lastsMs };
      const contracts = [{ name: happened.contract, version: 1, hash: '' }];
      this.table.register(
        anInstance({ id: happened.id, incarnation: happened.incarnation, lease, contracts }),
        this.moment,
      );
    }
    if (happened.kind === 'renew') this.table.renew(key, this.moment, happened.incarnation);
    if (happened.kind === 'status') this.table.setStatus(key, happened.status, this.moment, happened.incarnation);
    if (happened.kind === 'override') this.table.setOverride(key, happened.status, this.moment);
    if (happened.kind === 'deregister') this.table.deregister(key, this.moment, happened.incarnation);
  }

  wait(ms: number): void {
    const until = this.now + ms;
    for (let next = this.table.nextExpiryAt; next <= until; next = this.table.nextExpiryAt) {
      this.now = next;
      this.table.sweep(this.moment, next);
    }
    this.now = until;
  }

  instances(): Instance[] {
    return [...this.table.list()].map(({ instance }) => instance);
  }

  listed(): unknown[] {
    return this.instances()
      .map((instance) => [instance.id, instance.incarnation, effectiveStatus(instance), instance.contracts[0]?.name])
      .sort();
  }
}

test('after every event the table lists what a registry that looks at everything lists', () => {
  fc.assert(
    fc.property(history, (events) => {
      const [driver, naive] = [new Driver(), new NaiveRegistry()];
      for (const happened of events) {
        driver.apply(happened);
        naive.apply(happened);
        assert.deepEqual(driver.listed(), naive.listed());
      }
    }),
    { numRuns: 500 },
  );
});

test('changes told again from any cursor lead to the final list, for everybody and for one contract', () => {
  fc.assert(
    fc.property(history, fc.nat(), fc.constantFrom(undefined, { contract: 'catalog' }), (events, chance, target) => {
      const driver = new Driver();
      const cut = chance % (events.length + 1);
      for (const happened of events.slice(0, cut)) driver.apply(happened);
      const known = new Map([...driver.table.list(target)].map(({ instance }) => [instance.id, instance]));
      const cursor = driver.table.revision;
      for (const happened of events.slice(cut)) driver.apply(happened);
      const changes = driver.table.changesSince(cursor);
      assert.ok(changes);
      for (const change of changes) follow(known, seenBy(target, change));
      const final = new Map([...driver.table.list(target)].map(({ instance }) => [instance.id, instance]));
      assert.deepEqual(new Map([...known].sort()), new Map([...final].sort()));
    }),
    { numRuns: 300 },
  );
});

test('revisions rise by one with each change, and nothing that is gone comes back by older word', () => {
  fc.assert(
    fc.property(history, (events) => {
      const driver = new Driver();
      for (const happened of events) driver.apply(happened);
      const highest = new Map<string, { incarnation: number; at: number }>();
      for (const [index, { revision, id: who, before, after, reason, changedAt }] of driver.changes.entries()) {
        assert.equal(revision, index + 1);
        const last = highest.get(who);
        if (reason === 'registered' && last && changedAt < last.at + 3 * 90_000) {
          assert.ok((after?.incarnation ?? 0) >= last.incarnation, `${who} came back with an older incarnation`);
        }
        if (!after && before) highest.set(who, { incarnation: before.incarnation, at: changedAt });
      }
    }),
    { numRuns: 300 },
  );
});

function follow(known: Map<string, Instance>, change: SeenChange | undefined): void {
  if (change?.kind === 'put') known.set(change.instance.id, change.instance);
  if (change?.kind === 'gone') known.delete(change.id);
}
