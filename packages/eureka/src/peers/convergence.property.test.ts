/** Whatever owners and operators do, whichever messages are lost: when it is quiet all registries list the same. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Cluster } from '../testing/cluster.ts';
import { member } from '../testing/member.ts';

const names = ['a', 'b', 'c'];
const born = 1_767_225_600_000;

type Step =
  | { readonly do: 'register' | 'again' | 'renew' | 'leave' | 'drain'; readonly node: string; readonly id: string }
  | {
      readonly do: 'override';
      readonly node: string;
      readonly id: string;
      readonly to: 'out-of-service' | 'down' | undefined;
    }
  | { readonly do: 'cut' | 'heal'; readonly pair: string }
  | { readonly do: 'kill' | 'restart'; readonly node: string }
  | { readonly do: 'wait'; readonly ms: number };

const node = fc.constantFrom(...names);
const id = fc.constantFrom('x', 'y', 'z');
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({ do: fc.constantFrom('register', 'again', 'renew', 'leave', 'drain'), node, id }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('override' as const),
      node,
      id,
      to: fc.constantFrom('out-of-service', 'down', undefined),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constantFrom('cut', 'heal'), pair: fc.constantFrom('a b', 'a c', 'b c') }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constantFrom('kill', 'restart'), node }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('wait' as const), ms: fc.integer({ min: 1, max: 20_000 }) }) },
) as fc.Arbitrary<Step>;

/** What is true of each owner: its newest incarnation, and whether it ended with it. */
interface Truth {
  incarnation: number;
  left: boolean;
}

test('three registries converge: nobody who lives is lost, nobody who left is back', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 30 }), async (steps) => {
      const cluster = await Cluster.start(names);
      const owners = new Map<string, Truth>();
      for (const one of steps) await take(one, cluster, owners);

      cluster.cut.clear();
      for (const name of names) if (!cluster.nodes.has(name)) await cluster.start(name);
      await cluster.quiet();
      // Owners that live renew, and register again when they are told to, as every client does within an interval.
      for (const [instance, truth] of owners) if (!truth.left) live(instance, truth, cluster);
      await cluster.quiet();

      cluster.assertConverged();
      const listed = Array.from(cluster.at('a').registry.list(), ({ instance }) => instance.id).sort();
      const alive = [...owners].flatMap(([instance, { left }]) => (left ? [] : [instance])).sort();
      assert.deepEqual(listed, alive);
      await cluster.stop();
    }),
    { numRuns: 40 },
  );
});

async function take(one: Step, cluster: Cluster, owners: Map<string, Truth>): Promise<void> {
  if (one.do === 'wait') return cluster.clock.advance(one.ms);
  if ('pair' in one) {
    if (one.do === 'cut') cluster.cut.add(one.pair);
    else cluster.cut.delete(one.pair);
    return;
  }
  const up = cluster.nodes.get(one.node);
  if (one.do === 'kill') return up && cluster.nodes.size > 1 ? cluster.end(one.node, 'killed') : undefined;
  if (one.do === 'restart') return up ? undefined : void (await cluster.start(one.node));
  if (!up || !('id' in one)) return;
  const { registry } = up;
  const key = { service: 'orders', id: one.id };
  const truth = owners.get(one.id);
  if (one.do === 'override') return void registry.setOverride(key, one.to);
  if (one.do === 'register') {
    const incarnation = Math.max(cluster.clock.wallNow(), (truth?.incarnation ?? born) + 1);
    owners.set(one.id, { incarnation, left: false });
    return void registry.register(member(one.id, incarnation));
  }
  if (!truth || truth.left) return;
  if (one.do === 'renew') return live(one.id, truth, cluster, one.node);
  if (one.do === 'drain') return void registry.setStatus(key, 'draining', truth.incarnation);
  if (one.do === 'again') {
    return void registry.register(member(one.id, truth.incarnation, { metadata: { said: `${cluster.clock.now()}` } }));
  }
  // A farewell at a registry that has not heard of whom it is from is a 404: nobody was promised anything.
  if (registry.deregister(key, truth.incarnation).outcome === 'known') truth.left = true;
}

function live(instance: string, truth: Truth, cluster: Cluster, name = 'a'): void {
  const { registry } = cluster.at(name);
  if (registry.renew({ service: 'orders', id: instance }, truth.incarnation).outcome === 'known') return;
  truth.incarnation = Math.max(truth.incarnation + 1, cluster.clock.wallNow());
  registry.register(member(instance, truth.incarnation));
}
