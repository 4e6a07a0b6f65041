/** What a running fleet leaves in `.flotilla/dev.json` for the other commands. */
export interface FleetState {
  readonly fleet: string;
  /** Of `flotilla dev`. */
  readonly pid: number;
  readonly registry: string;
  readonly gateway: string;
  readonly processes: readonly FleetProcess[];
}

export interface FleetProcess {
  readonly name: string;
  readonly title: string;
  readonly state: string;
  readonly pid: number | null;
  readonly url: string | null;
  readonly managementUrl: string | null;
}

/** Where it lies, from the fleet's folder. */
export const statePath = '.flotilla/dev.json';

/** Reads the file's text field by field; undefined when it is not one of ours. */
export function parseState(text: string): FleetState | undefined {
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (!isRecord(document) || !Array.isArray(document['processes'])) return undefined;
  const { fleet, pid, registry, gateway, processes } = document;
  if (typeof fleet !== 'string' || typeof pid !== 'number') return undefined;
  if (typeof registry !== 'string' || typeof gateway !== 'string') return undefined;
  return { fleet, pid, registry, gateway, processes: processes.filter(isRecord).map(parseProcess) };
}

function parseProcess(record: Readonly<Record<string, unknown>>): FleetProcess {
  const textOf = (key: string): string | null => (typeof record[key] === 'string' ? record[key] : null);
  return {
    name: textOf('name') ?? '',
    title: textOf('title') ?? '',
    state: textOf('state') ?? 'unknown',
    pid: typeof record['pid'] === 'number' ? record['pid'] : null,
    url: textOf('url'),
    managementUrl: textOf('managementUrl'),
  };
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
