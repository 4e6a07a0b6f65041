import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

const zookeeperJar = '/usr/share/java/zookeeper.jar';
const target = join(import.meta.dirname, 'target');
const machine = ['-XX:TieredStopAtLevel=1', '-XX:+UseSerialGC', '-Xshare:auto', '-Xmx192m'];

function missing(): string | undefined {
  if (spawnSync('java', ['-version']).status !== 0) return 'no java (apt-get install default-jdk-headless maven)';
  if (!existsSync(zookeeperJar)) return `no ${zookeeperJar} (apt-get install zookeeper)`;
  if (!existsSync(join(target, 'curator.jar'))) return 'no curator.jar (mvn -q -B -f interop/java/curator package)';
  return undefined;
}

const gap = missing();

/** Why the suite cannot run here; false where it can. Where gaps are not allowed (`CI=true`) it is never skipped. */
export const skip: string | false =
  gap === undefined || process.env['CI'] === 'true' ? false : `${gap}: Curator and ZooKeeper were NOT run`;

/** A real ZooKeeper on loopback. */
export interface RealZooKeeper {
  /** `127.0.0.1:PORT` */
  readonly address: string;
  end(): Promise<void>;
}

export async function startZooKeeper(): Promise<RealZooKeeper> {
  const folder = await mkdtemp(join(tmpdir(), 'flotilla-curator-'));
  const port = await freePort();
  const lines = [
    'tickTime=500',
    `dataDir=${folder}`,
    `clientPort=${port}`,
    'clientPortAddress=127.0.0.1',
    'admin.enableServer=false',
  ];
  const file = join(folder, 'zoo.cfg');
  await writeFile(file, `${lines.join('\n')}\n`);
  const main = 'org.apache.zookeeper.server.quorum.QuorumPeerMain';
  const child = spawn('java', [...machine, '-Dzookeeper.forceSync=no', '-cp', zookeeperJar, main, file], {
    stdio: 'ignore',
  });
  return {
    address: `127.0.0.1:${port}`,
    async end() {
      await ended(child);
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** Curator's discovery with Spring Cloud ZooKeeper's classes, told what to do. */
export interface Curator {
  /** @returns what it answered; see `CuratorProgram.java` for what it understands. */
  ask(command: string): Promise<unknown>;
  end(): Promise<void>;
}

/** Resolves when it is connected. */
export async function startCurator(zookeeper: string): Promise<Curator> {
  const path = `${join(target, 'curator.jar')}:${join(target, 'lib')}/*`;
  const child = spawn('java', [...machine, '-cp', path, 'org.flotilla.interop.CuratorProgram', zookeeper], {
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  /** What it says besides its answers is for a person. */
  const answer = async (): Promise<unknown> => {
    for (;;) {
      const { value, done } = await lines.next();
      if (done) throw new Error('Curator ended');
      try {
        return JSON.parse(value);
      } catch {
        // a line of a log
      }
    }
  };
  await answer();
  return {
    ask(command) {
      child.stdin.write(`${command}\n`);
      return answer();
    },
    end: () => ended(child),
  };
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGKILL');
  await gone;
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}
