import type { Fleet } from '../fleet.ts';
import { filesBehind, type ReadText } from './import-graph.ts';
import type { ProcessPlan } from './process-plan.ts';

/** Ports that were found free. */
export interface FleetPorts {
  readonly registry: number;
  readonly gateway: number;
  /** One per process of a service: `catalog.1` → 41003. */
  readonly services: ReadonlyMap<string, number>;
}

/** What planning needs to know of the machine. */
export interface PlanNeeds {
  /** Absolute folder of the fleet's file. */
  readonly folder: string;
  /** Absolute path of this program: it is the registry and the gateway too. */
  readonly program: string;
  readonly ports: FleetPorts;
  readonly join: (...parts: string[]) => string;
  readonly read: ReadText;
}

/** Development relaxes nothing but waiting: nobody watches a drained instance for five seconds. */
const drainNoticeMs = 100;

/** The processes of a fleet: the registry first, then everything else. */
export function planFleet(fleet: Fleet, { folder, program, ports, join, read }: PlanNeeds): ProcessPlan[] {
  const registry = `http://127.0.0.1:${ports.registry}`;
  const shared = {
    FLOTILLA_LOG_FORMAT: 'json',
    FLOTILLA_DRAIN_NOTICE_MS: String(drainNoticeMs),
    NODE_COMPILE_CACHE: join(folder, '.flotilla', 'compile-cache'),
  };
  const services = fleet.services.flatMap(({ name, run, instances }) => {
    const entry = join(folder, run);
    const files = filesBehind(entry, read);
    return Array.from({ length: instances }, (_, index): ProcessPlan => {
      const port = ports.services.get(`${name}.${index + 1}`) ?? 0;
      const env = { ...shared, FLOTILLA_REGISTRY: registry, FLOTILLA_PORT: String(port) };
      return { name, copy: index + 1, program: entry, args: [], env, files, stage: 1 };
    });
  });
  const root = { copy: 1, program, files: new Set<string>() };
  return [
    {
      ...root,
      name: 'registry',
      args: ['registry', 'start'],
      env: { ...shared, FLOTILLA_PORT: String(ports.registry) },
      stage: 0,
    },
    ...services,
    {
      ...root,
      name: 'gateway',
      args: ['gateway', 'start'],
      env: { ...shared, FLOTILLA_REGISTRY: registry, FLOTILLA_PORT: String(ports.gateway) },
      stage: 1,
    },
  ];
}
