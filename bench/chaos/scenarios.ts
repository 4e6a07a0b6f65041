import { execFileSync } from 'node:child_process';
import { appendFileSync, existsSync, mkdirSync, readdirSync, statfsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { type Cluster, type ClusterKind, cluster, lacks } from './clusters.ts';
import { converge, listed } from './converge.ts';
import { Crowd, terms } from './crowd.ts';
import { runHerd } from './herd.ts';
import { Partition } from './partition.ts';
import type { RegistryNode } from './place.ts';
import type { Outcome, Stage } from './stage.ts';

export interface Scenario {
  readonly id: string;
  readonly title: string;
  readonly longOnly?: boolean;
  /** What this machine lacks for it. */
  readonly lacks?: () => string | undefined;
  run(stage: Stage): Promise<Outcome>;
}

const service = 'orders';
const settleMs = 60_000;

/** Instances, callers, a fault, and then: who is there is listed everywhere, and no caller was ever left with nobody. */
async function under(
  stage: Stage,
  { nodes }: Pick<Cluster, 'nodes'>,
  fault: (crowd: Crowd) => Promise<string[]>,
): Promise<Outcome> {
  const urls = nodes.map(({ url }) => url);
  const crowd = new Crowd(service, urls);
  try {
    await crowd.join(stage.long ? 500 : 150);
    crowd.watch(stage.long ? 10 : 4);
    const before = await converge(urls, service, () => crowd.ids, settleMs);
    if (before.differences.length > 0)
      return { facts: [], mistakes: before.differences.map((text) => `before: ${text}`) };
    const facts = await fault(crowd);
    const after = await converge(urls, service, () => crowd.ids, settleMs);
    const fewest = Math.min(...crowd.seen.map((seen) => seen.fewest));
    return {
      facts: [
        ...facts,
        `${crowd.ids.length} instances listed alike by ${urls.length} nodes after ${after.ms} ms`,
        `callers never saw fewer than ${fewest}`,
      ],
      mistakes: [...after.differences, ...emptyAnswers(crowd)],
    };
  } finally {
    await crowd.end();
  }
}

function emptyAnswers(crowd: Crowd): string[] {
  const emptied = crowd.seen.filter(({ fewest, most }) => most === 0 || fewest === 0);
  return emptied.length > 0 ? [`${emptied.length} callers were left with no instance`] : [];
}

function nodeKilled(kind: ClusterKind): Scenario {
  return {
    id: `node-killed-${kind}`,
    title: `a registry node is killed under load (${kind})`,
    lacks: () => lacks(kind),
    async run(stage) {
      const group = cluster(kind, stage);
      await group.start();
      return under(stage, group, async (crowd) => {
        const [victim] = group.nodes;
        const joining = crowd.join(100);
        await victim?.program.kill();
        await joining; // acknowledged by whoever was left
        await crowd.leave(20);
        await pause(terms.lastsMs);
        await victim?.program.start();
        return ['100 registered while it was killed, 20 left while it was away'];
      });
    },
  };
}

function leaderKilled(kind: 'etcd' | 'zookeeper'): Scenario {
  return {
    id: `leader-killed-${kind}`,
    title: `the leader of ${kind} is killed`,
    lacks: () => lacks(kind),
    async run(stage) {
      const group = cluster(kind, stage);
      await group.start();
      return under(stage, group, async (crowd) => {
        const [leader] = await group.engine();
        const joining = crowd.join(50);
        await leader?.kill();
        await joining;
        await pause(terms.lastsMs);
        await leader?.start();
        return [`${leader?.name} was the leader; 50 registered meanwhile`];
      });
    },
  };
}

function engineAway(kind: 'etcd' | 'zookeeper'): Scenario {
  return {
    id: `engine-away-${kind}`,
    title: `all of ${kind} is away for three leases`,
    lacks: () => lacks(kind),
    async run(stage) {
      const group = cluster(kind, stage);
      await group.start();
      return under(stage, group, async (crowd) => {
        const members = await group.engine();
        for (const member of members) await member.kill();
        await pause(3 * terms.lastsMs);
        const meanwhile = await Promise.all(group.nodes.map(({ url }) => listed(url, service)));
        await Promise.all(members.map((member) => member.start()));
        await crowd.join(25);
        return [`while it was away the nodes listed ${meanwhile.map(({ length }) => length).join(', ')}`];
      });
    },
  };
}

const partitioned: Scenario = {
  id: 'partition',
  title: 'two registries that replicate cannot reach each other',
  lacks: () => Partition.lacks(),
  async run(stage) {
    const net = new Partition();
    try {
      const group = cluster('peers', {
        ...stage,
        size: 2,
        special: (n) => ({ host: net.hosts[n] ?? '', within: net.within(n) }),
      });
      await group.start();
      return await under(stage, group, async (crowd) => {
        net.cut();
        await crowd.join(50);
        await crowd.leave(10);
        await pause(2 * terms.lastsMs);
        const apart = await Promise.all(group.nodes.map(({ url }) => listed(url, service)));
        net.heal();
        return [`apart, they listed ${apart.map(({ length }) => length).join(' and ')}; 50 came and 10 left meanwhile`];
      });
    } finally {
      net.end();
    }
  },
};

function clockOff(kind: ClusterKind): Scenario {
  return {
    id: `clock-off-${kind}`,
    title: `the clock of one node is a minute off (${kind})`,
    lacks: () => (existsSync('/usr/bin/faketime') ? lacks(kind) : 'faketime (Debian: faketime)'),
    async run(stage) {
      const group = cluster(kind, {
        ...stage,
        special: (n) =>
          n === 1 ? { within: ['faketime', '-f', '+60s'], env: { FAKETIME_DONT_FAKE_MONOTONIC: '1' } } : {},
      });
      await group.start();
      return under(stage, group, async (crowd) => {
        await crowd.join(50);
        await crowd.leave(20);
        await pause(2 * terms.lastsMs);
        return ['50 came and 20 left'];
      });
    },
  };
}

const fullDisk: Scenario = {
  id: 'disk-full',
  title: 'the disk is full while the state is saved',
  lacks: () => (mayMount() ? undefined : 'root on Linux, to mount a small disk'),
  async run({ place, port, long }) {
    const node = place.registry({ name: 'registry-1', port });
    mkdirSync(node.folder);
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=4m', 'tmpfs', node.folder]);
    try {
      await node.program.start();
      return await under({ place, port, long }, { nodes: [node] }, async (crowd) => {
        const filler = join(node.folder, 'filler');
        const { bavail, bsize } = statfsSync(node.folder);
        writeFileSync(filler, Buffer.alloc(bavail * bsize));
        await crowd.join(100);
        const onFull = await listed(node.url, service);
        execFileSync('rm', [filler]);
        await pause(10_000); // it tries again every five seconds
        await node.program.kill();
        await node.program.start();
        const restored = await listed(node.url, service);
        const lost = onFull.filter((entry) => !restored.includes(entry));
        if (lost.length > 0) throw new Error(`${lost.length} instances were not on the disk after it had room again`);
        return [`${onFull.length} listed on the full disk, all on the disk after it had room again`];
      });
    } finally {
      await node.program.kill();
      execFileSync('umount', ['--lazy', node.folder]);
    }
  },
};

const tornJournal: Scenario = {
  id: 'torn-journal',
  title: 'the registry is killed and its last write is torn',
  async run(stage) {
    const node = stage.place.registry({ name: 'registry-1', port: stage.port });
    await node.program.start();
    return under(stage, { nodes: [node] }, async (crowd) => {
      await crowd.join(100);
      const acknowledged = await listed(node.url, service);
      await node.program.kill();
      const journal = readdirSync(node.folder)
        .filter((name) => name.includes('.journal-'))
        .at(-1);
      if (journal === undefined) throw new Error('a registry that was killed left no journal');
      appendFileSync(join(node.folder, journal), '#7 1234 abcdef01\n{"lease":{"half');
      await node.program.start();
      const restored = await listed(node.url, service);
      const lost = acknowledged.filter((entry) => !restored.includes(entry));
      if (lost.length > 0) throw new Error(`${lost.length} acknowledged instances were lost`);
      return [`${acknowledged.length} acknowledged, ${restored.length} there at once after the start`];
    });
  },
};

const silent: Scenario = {
  id: 'silent',
  title: '30 % of the instances fall silent at once, and return',
  async run(stage) {
    const node = stage.place.registry({ name: 'registry-1', port: stage.port });
    await node.program.start();
    return under(stage, { nodes: [node] }, async (crowd) => {
      const all = crowd.ids.length;
      const gone = await crowd.silence(0.3);
      await pause(4 * terms.lastsMs);
      const held = (await listed(node.url, service)).length;
      const mayGo = Math.ceil(0.15 * all);
      if (held < all - mayGo) throw new Error(`${all - held} of ${all} were evicted; at most ${mayGo} may be`);
      if (held === all) throw new Error('none was evicted, though 15 % a minute may be');
      // They come back as others do after a restart: with new ids, while the old ones are really gone.
      await crowd.join(gone.length);
      await evict(node);
      return [`${gone.length} of ${all} fell silent: ${held} stayed listed until an operator said that they are gone`];
    });
  },
};

async function evict({ url }: RegistryNode): Promise<void> {
  const { origin, username, password } = new URL(url);
  const authorization = `Basic ${Buffer.from(`${username}:${decodeURIComponent(password)}`).toString('base64')}`;
  await fetch(`${origin}/v1/services/${service}/evictions`, { method: 'POST', headers: { authorization } });
}

const herd: Scenario = {
  id: 'herd',
  title: '5,000 clients come back at once after a restart',
  run: runHerd,
};

function mayMount(): boolean {
  return process.getuid?.() === 0 && process.platform === 'linux';
}

export const scenarios: readonly Scenario[] = [
  tornJournal,
  fullDisk,
  silent,
  herd,
  nodeKilled('peers'),
  nodeKilled('etcd'),
  nodeKilled('zookeeper'),
  leaderKilled('etcd'),
  leaderKilled('zookeeper'),
  engineAway('etcd'),
  engineAway('zookeeper'),
  partitioned,
  clockOff('peers'),
  clockOff('etcd'),
];
