/** A profile as V8 writes it (`node --cpu-prof`). */
export interface CpuProfile {
  readonly nodes: readonly ProfileNode[];
  readonly samples: readonly number[];
  /** Microseconds since the sample before. */
  readonly timeDeltas: readonly number[];
}

interface ProfileNode {
  readonly id: number;
  readonly callFrame: {
    readonly functionName: string;
    readonly url: string;
    readonly lineNumber: number;
  };
  readonly children?: readonly number[];
}

/** Shares of the time in which the process was not idle, from 0 to 1. */
export interface ProfileSummary {
  readonly busyMs: number;
  readonly idleMs: number;
  readonly self: readonly Cost[];
  readonly inclusive: readonly Cost[];
  readonly packages: readonly Cost[];
}

export interface Cost {
  readonly name: string;
  readonly share: number;
}

/** Adds up what each function and each package cost. Recursion counts once. */
export function summariseProfile(profile: CpuProfile): ProfileSummary {
  const own = timesOf(profile);
  const byId = new Map(profile.nodes.map((node) => [node.id, node]));
  const self = new Map<string, number>();
  const inclusive = new Map<string, number>();
  const packages = new Map<string, number>();
  let idle = 0;
  const visit = (node: ProfileNode, around: ReadonlySet<string>): number => {
    const name = nameOf(node);
    let total = own.get(node.id) ?? 0;
    if (name === '(idle)') {
      idle += total;
      return 0;
    }
    add(self, name, total);
    add(packages, packageOf(node), total);
    const within = new Set(around).add(name);
    for (const child of node.children ?? []) total += visit(byId.get(child) as ProfileNode, within);
    if (!around.has(name)) add(inclusive, name, total);
    return total;
  };
  const [root] = profile.nodes;
  const busy = root ? visit(root, new Set()) : 0;
  const sorted = (times: ReadonlyMap<string, number>): Cost[] =>
    [...times].map(([name, time]) => ({ name, share: time / busy })).sort((a, b) => b.share - a.share);
  return {
    busyMs: busy / 1_000,
    idleMs: idle / 1_000,
    self: sorted(self),
    inclusive: sorted(inclusive),
    packages: sorted(packages),
  };
}

function timesOf({ samples, timeDeltas }: CpuProfile): Map<number, number> {
  const times = new Map<number, number>();
  for (const [position, id] of samples.entries()) add(times, id, timeDeltas[position + 1] ?? 0);
  return times;
}

function add<Key>(sums: Map<Key, number>, key: Key, amount: number): void {
  sums.set(key, (sums.get(key) ?? 0) + amount);
}

function nameOf({ callFrame: { functionName, url, lineNumber } }: ProfileNode): string {
  if (url === '') return functionName || '(anonymous)';
  return `${functionName || '(anonymous)'} ${shortUrl(url)}:${lineNumber + 1}`;
}

function shortUrl(url: string): string {
  const [, ours] = /\/packages\/(.*)$/.exec(url) ?? [];
  if (ours !== undefined) return ours.replace(/\/(?:src|dist)\//, '/');
  return url.replace(/^file:\/\/.*\/node_modules\//, '').replace(/^file:\/\/.*\/bench\//, 'bench/');
}

/** `packages/http/…` → `http`; `node_modules/undici/…` → `undici`; `node:internal/…` → `node`. */
function packageOf({ callFrame: { functionName, url } }: ProfileNode): string {
  if (url === '') return functionName.startsWith('(') ? functionName : '(native)';
  if (url.startsWith('node:')) return `node:${/^node:(?:internal\/)?([\w/]+?)(?:\/|$)/.exec(url)?.[1] ?? ''}`;
  const [, ours] = /\/packages\/([^/]+)\//.exec(url) ?? [];
  const [, theirs] = /\/node_modules\/((?:@[^/]+\/)?[^/]+)\/(?!.*\/node_modules\/)/.exec(url) ?? [];
  return ours ?? theirs ?? 'bench';
}
