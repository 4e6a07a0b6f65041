import { isLoopback } from '@flotilla/http';
import type { Fleet } from '../fleet.ts';
import { filesBehind, type ReadText } from './import-graph.ts';
import type { ProcessPlan } from './process-plan.ts';

/**
 * Ports that were found free. Every one is chosen beforehand: processes that share their supervisor's sockets would
 * all get the same one if they asked for any.
 */
export interface FleetPorts {
  /** By title: `registry`, `gateway`, `catalog.1`. */
  readonly of: Map<string, { readonly port: number; readonly management: number }>;
}

/** What planning needs to know of the machine. */
export interface PlanNeeds {
  /** Absolute folder of the fleet's file. */
  readonly folder: string;
  /** Absolute path of this program: it is the registry and the gateway too. */
  readonly program: string;
  readonly ports: FleetPorts;
  /** Folder in which Node keeps compiled modules, shared by all processes. */
  readonly compileCache: string | undefined;
  readonly join: (...parts: string[]) => string;
  readonly read: ReadText;
}

/** Development relaxes waiting, and what the gateway tells on the loopback: nobody watches a drained instance for five seconds. */
const drainNoticeMs = 100;

/** The processes of a fleet: the registry first, then everything else. */
export function planFleet(
  fleet: Fleet,
  { folder, program, ports, compileCache, join, read }: PlanNeeds,
): ProcessPlan[] {
  const registry = `http://127.0.0.1:${portsOf(ports, 'registry').port}`;
  const envOf = (title: string): Record<string, string> => ({
    FLOTILLA_PORT: String(portsOf(ports, title).port),
    FLOTILLA_MANAGEMENT_PORT: String(portsOf(ports, title).management),
    FLOTILLA_LOG_FORMAT: 'json',
    FLOTILLA_DRAIN_NOTICE_MS: String(drainNoticeMs),
    ...(compileCache !== undefined && { NODE_COMPILE_CACHE: compileCache }),
  });
  const entries = new Map(fleet.services.map(({ name, run }) => [name, join(folder, run)]));
  const services = fleet.services.flatMap(({ name, instances, placed }) => {
    const entry = entries.get(name) ?? '';
    const files = new Set([name, ...placed].flatMap((one) => [...filesBehind(entries.get(one) ?? '', read)]));
    return Array.from({ length: instances }, (_, index): ProcessPlan => {
      const env = { ...envOf(`${name}.${index + 1}`), FLOTILLA_REGISTRY: registry };
      return { name, copy: index + 1, program: entry, args: [], env, files, stage: 1 };
    });
  });
  const root = { copy: 1, program, files: new Set<string>() };
  return [
    { ...root, name: 'registry', args: ['registry', 'start'], env: envOf('registry'), stage: 0 },
    ...services,
    {
      ...root,
      name: 'gateway',
      args: ['gateway', 'start'],
      env: {
        ...envOf('gateway'),
        FLOTILLA_REGISTRY: registry,
        FLOTILLA_WEB_SOCKET_DRAIN_MS: '0', // a forgotten tab would make every Ctrl-C wait
        ...(isLoopback(fleet.gatewayBind) && { FLOTILLA_DEVELOPER_ERRORS: 'true' }),
      },
      stage: 1,
    },
  ];
}

/** The ports of one process. */
export function portsOf(ports: FleetPorts, title: string): { readonly port: number; readonly management: number } {
  const found = ports.of.get(title);
  if (!found) throw new RangeError(`no ports were found for "${title}"`);
  return found;
}
