import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { credentials, type NodeOptions, type Place, type RegistryNode } from './place.ts';
import type { Program } from './program.ts';

/** Registry nodes that are to behave as one, and what stands behind them. */
export interface Cluster {
  readonly nodes: readonly RegistryNode[];
  /** Members of the engine, its leader first; empty for peers. */
  readonly engine: () => Promise<readonly Program[]>;
  start(): Promise<void>;
}

export type ClusterKind = 'peers' | 'etcd' | 'zookeeper';

/** How many, where, and what is special about single ones. */
export interface ClusterOptions {
  readonly place: Place;
  readonly port: number;
  readonly size?: number;
  /** Of the node with that index. */
  readonly special?: (index: number) => Partial<NodeOptions>;
}

/** @returns what this machine lacks for it. */
export function lacks(kind: ClusterKind): string | undefined {
  if (kind === 'etcd') return onPath('etcd') ? undefined : 'etcd (Debian: etcd-server)';
  if (kind === 'zookeeper') return zookeeperJars() === undefined ? 'ZooKeeper (Debian: zookeeper)' : undefined;
  return undefined;
}

export function cluster(kind: ClusterKind, options: ClusterOptions): Cluster {
  if (kind === 'peers') return peers(options);
  return kind === 'etcd' ? overEtcd(options) : overZooKeeper(options);
}

function peers({ place, port, size = 3, special = () => ({}) }: ClusterOptions): Cluster {
  const hostOf = (index: number): string => special(index).host ?? '127.0.0.1';
  const urls = Array.from({ length: size }, (_, n) => `http://${credentials}@${hostOf(n)}:${port + n}/eureka/`);
  const nodes = urls.map((url, n) =>
    place.registry({
      name: `registry-${n + 1}`,
      port: port + n,
      ...special(n),
      flags: [...urls.map((peer) => `--peers=${peer}`), `--my-url=${url}`, ...(special(n).flags ?? [])],
    }),
  );
  return { nodes, engine: async () => [], start: () => startAll(nodes.map(({ program }) => program)) };
}

function overEtcd({ place, port, size = 3, special = () => ({}) }: ClusterOptions): Cluster {
  const clientPort = (n: number): number => port + 100 + 2 * n;
  const initial = [0, 1, 2].map((n) => `etcd-${n + 1}=http://127.0.0.1:${clientPort(n) + 1}`).join(',');
  const members = [0, 1, 2].map((n) => {
    const name = `etcd-${n + 1}`;
    const [client, peer] = [`http://127.0.0.1:${clientPort(n)}`, `http://127.0.0.1:${clientPort(n) + 1}`];
    return place.program({
      name,
      command: [
        'etcd',
        `--name=${name}`,
        `--data-dir=${join(place.folder, name)}`,
        `--listen-client-urls=${client}`,
        `--advertise-client-urls=${client}`,
        `--listen-peer-urls=${peer}`,
        `--initial-advertise-peer-urls=${peer}`,
        `--initial-cluster=${initial}`,
      ],
      cwd: place.folder,
      serving: 'ready to serve client requests',
      logFile: join(place.folder, `${name}.log`),
    });
  });
  const engine = `etcd://${[0, 1, 2].map((n) => `127.0.0.1:${clientPort(n)}`).join(',')}/chaos`;
  const nodes = stateless(place, port, size, engine, special);
  return {
    nodes,
    engine: async () => leaderFirst(members, (n) => etcdLeads(clientPort(n))),
    async start() {
      await startAll(members);
      await startAll(nodes.map(({ program }) => program));
    },
  };
}

function overZooKeeper({ place, port, size = 3, special = () => ({}) }: ClusterOptions): Cluster {
  const clientPort = (n: number): number => port + 100 + 3 * n;
  const servers = [0, 1, 2].map((n) => `server.${n + 1}=127.0.0.1:${clientPort(n) + 1}:${clientPort(n) + 2}`);
  const members = [0, 1, 2].map((n) => {
    const name = `zookeeper-${n + 1}`;
    const folder = join(place.folder, name);
    mkdirSync(folder);
    writeFileSync(join(folder, 'myid'), `${n + 1}\n`);
    const lines = [
      'tickTime=500',
      'initLimit=20',
      'syncLimit=10',
      `dataDir=${folder}`,
      `clientPort=${clientPort(n)}`,
      'clientPortAddress=127.0.0.1',
      'admin.enableServer=false',
      '4lw.commands.whitelist=srvr',
      'extendedTypesEnabled=true',
      ...servers,
    ];
    writeFileSync(join(folder, 'zoo.cfg'), `${lines.join('\n')}\n`);
    return place.program({
      name,
      command: [
        'java',
        '-Xmx256m',
        '-cp',
        `${zookeeperJars()}:${folder}`,
        '-Dlog4j.rootLogger=INFO,CONSOLE',
        'org.apache.zookeeper.server.quorum.QuorumPeerMain',
        join(folder, 'zoo.cfg'),
      ],
      cwd: folder,
      serving: '',
      logFile: join(place.folder, `${name}.log`),
    });
  });
  const engine = `zookeeper://${[0, 1, 2].map((n) => `127.0.0.1:${clientPort(n)}`).join(',')}/chaos`;
  const nodes = stateless(place, port, size, engine, special);
  return {
    nodes,
    engine: async () => leaderFirst(members, (n) => zookeeperLeads(clientPort(n))),
    async start() {
      await startAll(members);
      await startAll(nodes.map(({ program }) => program));
    },
  };
}

function stateless(
  place: Place,
  port: number,
  size: number,
  engine: string,
  special: (index: number) => Partial<NodeOptions>,
): RegistryNode[] {
  return Array.from({ length: size }, (_, n) =>
    place.registry({
      name: `registry-${n + 1}`,
      port: port + n,
      ...special(n),
      flags: [`--engine=${engine}`, ...(special(n).flags ?? [])],
    }),
  );
}

async function startAll(programs: readonly Program[]): Promise<void> {
  await Promise.all(programs.map((program) => program.start()));
}

async function leaderFirst(
  members: readonly Program[],
  leads: (index: number) => Promise<boolean>,
): Promise<Program[]> {
  for (let attempt = 0; attempt < 60; attempt++) {
    const verdicts = await Promise.all(members.map((_, n) => leads(n).catch(() => false)));
    const leader = members[verdicts.indexOf(true)];
    if (leader) return [leader, ...members.filter((member) => member !== leader)];
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
  throw new Error('the engine has no leader');
}

async function etcdLeads(port: number): Promise<boolean> {
  const answer = await fetch(`http://127.0.0.1:${port}/v3/maintenance/status`, { method: 'POST', body: '{}' });
  const { header, leader } = (await answer.json()) as { header: { member_id: string }; leader: string };
  return header.member_id === leader;
}

async function zookeeperLeads(port: number): Promise<boolean> {
  const { connect } = await import('node:net');
  return new Promise((resolve, reject) => {
    let text = '';
    const socket = connect(port, '127.0.0.1', () => socket.write('srvr'));
    socket.setTimeout(2_000, () => socket.destroy(new Error('no answer')));
    socket.on('data', (chunk) => {
      text += chunk.toString();
    });
    socket.once('error', reject);
    socket.once('close', () => resolve(/Mode: leader/.test(text)));
  });
}

function onPath(program: string): boolean {
  return (process.env['PATH'] ?? '').split(':').some((folder) => existsSync(join(folder, program)));
}

function zookeeperJars(): string | undefined {
  const folder = '/usr/share/java';
  if (!existsSync(folder) || !readdirSync(folder).includes('zookeeper.jar')) return undefined;
  return `${folder}/*:/etc/zookeeper/conf`;
}
