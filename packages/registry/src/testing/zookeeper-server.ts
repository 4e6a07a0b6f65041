import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePorts, missing, type RealProcess, startProcess, until } from '@flotilla/core/testing';

const [java, jar] = ['/usr/bin/java', '/usr/share/java/zookeeper.jar'];

/** Why ZooKeeper's tests cannot run here. */
export function zookeeperMissing(): string | undefined {
  return missing('java', [java], 'default-jre-headless') ?? missing('ZooKeeper', [jar], 'zookeeper');
}

/** How a test's ZooKeeper is started. */
export interface ZooKeeperServerOptions {
  /** 1 or 3. */
  readonly members?: number;
  /** Lines of its configuration. */
  readonly lines?: readonly string[];
}

/** A real ZooKeeper on loopback with data of its own; sessions last from 0.4 s to 4 s. */
export class ZooKeeperServer {
  readonly servers: readonly string[];
  readonly #folder: string;
  readonly #ports: readonly number[];
  readonly #quorum: readonly number[];
  readonly #options: ZooKeeperServerOptions;
  readonly #members: (RealProcess | undefined)[] = [];

  private constructor(folder: string, ports: readonly number[], members: number, options: ZooKeeperServerOptions) {
    this.#folder = folder;
    this.#ports = ports.slice(0, members);
    this.#quorum = ports.slice(members);
    this.#options = options;
    this.servers = this.#ports.map((port) => `127.0.0.1:${port}`);
  }

  static async start(options: ZooKeeperServerOptions = {}): Promise<ZooKeeperServer> {
    const { members = 1 } = options;
    const folder = await mkdtemp(join(tmpdir(), 'flotilla-zookeeper-'));
    const server = new ZooKeeperServer(folder, await freePorts(3 * members), members, options);
    for (let member = 0; member < members; member++) await server.startMember(member);
    await server.ready();
    return server;
  }

  async startMember(member = 0): Promise<void> {
    const data = join(this.#folder, `m${member}`);
    await mkdir(data, { recursive: true });
    const ensemble = this.#ports.map((_, index) => {
      const [quorum, election] = this.#quorum.slice(2 * index);
      return `server.${index + 1}=127.0.0.1:${quorum}:${election}`;
    });
    const lines = [
      'tickTime=200',
      'maxSessionTimeout=60000', // unless set 20 ticks: an election on a busy machine takes as long
      'initLimit=50',
      'syncLimit=10',
      `dataDir=${data}`,
      `clientPort=${this.#ports[member]}`,
      'clientPortAddress=127.0.0.1',
      'maxClientCnxns=0',
      'admin.enableServer=false',
      '4lw.commands.whitelist=srvr',
      ...(ensemble.length > 1 ? ensemble : []),
      ...(this.#options.lines ?? []),
    ];
    const file = join(this.#folder, `m${member}.cfg`);
    await writeFile(file, `${lines.join('\n')}\n`);
    await writeFile(join(data, 'myid'), `${member + 1}`);
    const flags = ['-Xmx192m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', '-Dzookeeper.forceSync=no'];
    const main = 'org.apache.zookeeper.server.quorum.QuorumPeerMain';
    this.#members[member] = startProcess(java, [...flags, '-cp', jar, main, file]);
  }

  /** Resolves when every member that runs serves. */
  async ready(): Promise<void> {
    await until(
      'ZooKeeper answers',
      async () => {
        const running = this.#ports.filter((_, member) => this.#members[member]);
        const answers = await Promise.all(running.map((port) => ask(port, 'srvr')));
        return answers.every((answer) => answer.includes('Mode:'));
      },
      60_000,
    );
  }

  async pause(member = 0): Promise<void> {
    await this.#members[member]?.pause();
  }

  resume(member = 0): void {
    this.#members[member]?.resume();
  }

  async kill(member = 0, signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    await this.#members[member]?.end(signal);
    this.#members[member] = undefined;
  }

  /** All members lose everything and start anew. */
  async wipe(): Promise<void> {
    await Promise.all(this.#members.map((_, member) => this.kill(member)));
    await Promise.all(this.#ports.map((_, member) => rm(join(this.#folder, `m${member}`), { recursive: true })));
    await Promise.all(this.#ports.map((_, member) => this.startMember(member)));
    await this.ready();
  }

  async end(): Promise<void> {
    await Promise.all(this.#members.map((_, member) => this.kill(member)));
    await rm(this.#folder, { recursive: true, force: true });
  }
}

/** One of ZooKeeper's four-letter commands; '' when nobody answers. */
function ask(port: number, command: string): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port }, () => socket.write(command));
    let answer = '';
    socket.setTimeout(2_000, () => socket.destroy());
    socket.on('data', (chunk) => {
      answer += chunk.toString();
    });
    socket.on('error', () => {});
    socket.on('close', () => resolve(answer));
  });
}
