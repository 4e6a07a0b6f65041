import { systemClock, systemRandom } from '@flotilla/core';
import { TcpLink } from '@flotilla/core/testing';
import { EtcdServer, etcdMissing } from '../testing/etcd-server.ts';
import { type EngineUnderTest, leaseStoreContract, type NodeWay } from '../testing/lease-engine-contract.ts';
import { ZooKeeperServer, zookeeperMissing } from '../testing/zookeeper-server.ts';
import { EtcdClient } from './etcd/client.ts';
import { etcdEngine } from './etcd/engine.ts';
import { MemoryEngine } from './memory-engine.ts';
import { zookeeperEngine } from './zookeeper/engine.ts';

const parts = { clock: systemClock, random: systemRandom };
const portOf = (endpoint: string) => Number(endpoint.split(':').at(-1));

/** Ways through links of their own to one server. */
class Ways {
  readonly #links: TcpLink[] = [];

  async open(target: number, engine: (port: number) => NodeWay['engine']): Promise<NodeWay> {
    const link = await TcpLink.to(target);
    this.#links.push(link);
    return { engine: engine(link.port), cut: () => link.cut(), heal: () => link.heal() };
  }

  async end(): Promise<void> {
    await Promise.all(this.#links.map((link) => link.end()));
  }
}

async function memory(): Promise<EngineUnderTest> {
  const spaces = new Map<string, MemoryEngine>();
  const all = (act: (engine: MemoryEngine) => void) => {
    for (const engine of spaces.values()) act(engine);
  };
  return {
    async way(space) {
      const engine = spaces.get(space) ?? new MemoryEngine();
      spaces.set(space, engine);
      const node = engine.node();
      return { engine: node, cut: () => engine.cut(node), heal: () => engine.heal(node) };
    },
    async restart() {
      all((engine) => engine.down());
      await new Promise((resolve) => setTimeout(resolve, 100));
      all((engine) => engine.up());
    },
    async pausedWhile(work) {
      all((engine) => engine.pause());
      await work().finally(() => all((engine) => engine.resume()));
    },
    async compact() {},
    memberGoneMs: 0,
    async end() {},
  };
}

async function etcd(): Promise<EngineUnderTest> {
  const server = await EtcdServer.start();
  const [endpoint = ''] = server.endpoints;
  const ways = new Ways();
  return {
    way: (space) =>
      ways.open(portOf(endpoint), (port) =>
        etcdEngine({
          ...parts,
          endpoints: [`http://127.0.0.1:${port}`],
          prefix: `/${space}`,
          memberSeconds: 2,
          idleProbeMs: 500,
          requestTimeoutMs: 3_000,
        }),
      ),
    async restart() {
      await server.kill();
      server.startMember();
      await server.ready();
    },
    async pausedWhile(work) {
      await server.pause();
      await work().finally(() => server.resume());
    },
    async compact() {
      const client = new EtcdClient({ ...parts, endpoints: [endpoint] });
      await client.compact((await client.range({ key: 'x' })).revision);
      client.close();
    },
    memberGoneMs: 3_000,
    async end() {
      await ways.end();
      await server.end();
    },
  };
}

async function zookeeper(): Promise<EngineUnderTest> {
  const server = await ZooKeeperServer.start();
  const [address = ''] = server.servers;
  const ways = new Ways();
  return {
    way: (space) =>
      ways.open(portOf(address), (port) =>
        zookeeperEngine({
          ...parts,
          servers: [`127.0.0.1:${port}`],
          root: `/${space}`,
          sessionTimeoutMs: 4_000,
          requestTimeoutMs: 3_000,
        }),
      ),
    async restart() {
      await server.kill();
      await server.startMember();
      await server.ready();
    },
    async pausedWhile(work) {
      await server.pause();
      await work().finally(() => server.resume());
    },
    async compact() {},
    memberGoneMs: 5_000,
    async end() {
      await ways.end();
      await server.end();
    },
  };
}

leaseStoreContract('memory', memory);
leaseStoreContract('etcd', etcd, etcdMissing());
leaseStoreContract('ZooKeeper', zookeeper, zookeeperMissing());
