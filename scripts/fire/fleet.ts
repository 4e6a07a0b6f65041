import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseYaml } from '@flotilla/config';
import { root } from '../packages.ts';
import { type HeldSocket, holdSocket } from './held-socket.ts';
import { Unit } from './unit.ts';

/** The shop that is put under fire, and the page that is asked for. */
const shop = join(root, 'examples/shop');
export const pagePath = '/api/products/rice-bowl';

/** In memory where that can be had: a disk that others keep busy stalls every order for as long. */
const memoryFolder = existsSync('/dev/shm') ? '/dev/shm' : tmpdir();

export const host = '127.0.0.1';

/** Every service runs in so many copies, so that one may be missing. */
const copies = 2;

export const portsOfFleet = 40;

export interface FleetOptions {
  /** The first of {@link portsOfFleet} that the fleet takes. */
  readonly port: number;
  /** How long callers are given to see that somebody leaves. Default: the product's own. */
  readonly drainNoticeMs?: number;
  /** Gateways that share one listening socket. Default 1. */
  readonly gateways?: number;
  /** Variables of one of the processes. */
  readonly env?: (unit: string, folder: string) => Readonly<Record<string, string>>;
}

/**
 * The shop in the form of production: each process started by itself with `node`, in a new folder; registry and gateway
 * on sockets that their supervisor holds, services on ports of their own.
 */
export class Fleet {
  readonly folder: string;
  /** Where services keep their databases. */
  readonly dataFolder: string;
  readonly registry: Unit;
  readonly gateways: readonly Unit[];
  /** Copies of each service, by its name. */
  readonly services: ReadonlyMap<string, readonly Unit[]>;
  readonly gatewayPort: number;
  readonly registryUrl: string;
  readonly snapshotFile: string;
  readonly routesFile: string;
  readonly #sockets: readonly HeldSocket[];
  #wasGood = false;

  constructor({ port, drainNoticeMs, gateways = 1, env }: FleetOptions) {
    this.folder = mkdtempSync(join(memoryFolder, 'flotilla-fire-'));
    this.dataFolder = join(this.folder, '.flotilla/data');
    mkdirSync(this.dataFolder, { recursive: true });
    mkdirSync(join(this.folder, 'logs'));
    for (const name of ['flotilla.yaml', 'gateway.yaml']) cpSync(join(shop, name), join(this.folder, name));
    this.gatewayPort = port;
    this.registryUrl = `http://${host}:${port + 1}`;
    this.snapshotFile = join(this.folder, 'registry.json');
    this.routesFile = join(this.folder, 'gateway.yaml');
    const sockets = [holdSocket(host, port), holdSocket(host, port + 1)] as const;
    this.#sockets = sockets;

    let managementPort = port + 22;
    const unit = (name: string, args: readonly string[], socket?: HeldSocket): Unit => {
      const management = managementPort++;
      return new Unit({
        name,
        args: [
          '--conditions=flotilla-source',
          ...args,
          ...(socket === sockets[1] ? [] : [`--registry=${this.registryUrl}`]),
          ...(drainNoticeMs === undefined ? [] : [`--drain-notice-ms=${drainNoticeMs}`]),
          `--management.port=${management}`,
          '--log.format=json',
        ],
        env: env?.(name, this.folder) ?? {},
        cwd: this.folder,
        managementPort: management,
        logFile: join(this.folder, 'logs', `${name}.log`),
        ...(socket && { socket }),
      });
    };
    const command = join(root, 'packages/cli/src/main.ts');
    this.registry = unit(
      'registry',
      [command, 'registry', 'start', `--snapshot-file=${this.snapshotFile}`],
      sockets[1],
    );
    this.gateways = Array.from({ length: gateways }, (_, index) =>
      unit(`gateway.${index + 1}`, [command, 'gateway', 'start', `--routes=${this.routesFile}`], sockets[0]),
    );
    let servicePort = port + 2;
    this.services = new Map(
      servicesOfShop().map(([name, run]) => [
        name,
        Array.from({ length: copies }, (_, index) =>
          unit(`${name}.${index + 1}`, [join(shop, run), `--port=${servicePort++}`]),
        ),
      ]),
    );
  }

  get units(): readonly Unit[] {
    return [this.registry, ...[...this.services.values()].flat(), ...this.gateways];
  }

  /** @throws Error when there is no such copy; copies count from 1 */
  unit(name: string): Unit {
    const found = this.units.find((unit) => unit.name === name);
    if (!found) throw new Error(`the fleet has no "${name}"`);
    return found;
  }

  async start(): Promise<void> {
    await this.registry.start();
    for (const unit of this.units) if (unit !== this.registry) unit.spawn();
    await Promise.all(this.units.map((unit) => unit.ready()));
  }

  /** Nothing was wrong: what its processes said need not stay. */
  forget(): void {
    this.#wasGood = true;
  }

  /** Ends whatever runs, at once. */
  async end(): Promise<void> {
    await Promise.all(this.units.map((unit) => unit.kill()));
    for (const socket of this.#sockets) socket.close();
    if (this.#wasGood) rmSync(this.folder, { recursive: true, force: true });
    else console.error(`what its processes said is in ${this.folder}/logs`);
  }
}

/** Name and program of each service, as the shop's own file says. */
function servicesOfShop(): [name: string, run: string][] {
  const { services } = parseYaml(readFileSync(join(shop, 'flotilla.yaml'), 'utf8'), 'flotilla.yaml').value as {
    readonly services: Readonly<Record<string, { readonly run: string }>>;
  };
  return Object.entries(services).map(([name, { run }]) => [name, run]);
}
