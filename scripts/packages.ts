/** What the scripts know of the workspace: its packages, read from their package.json files. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export interface Package {
  readonly name: string;
  readonly folder: string;
  readonly private: boolean;
  readonly version: string;
  readonly dependencies: readonly string[];
  readonly devDependencies: readonly string[];
  readonly exports: Readonly<Record<string, unknown>>;
}

export const root: string = fileURLToPath(new URL('..', import.meta.url));

/**
 * The levels of the architecture, lowest first. A package may import packages of lower levels only.
 * `docs/architecture.md` shows the same picture.
 */
export const levels: readonly (readonly string[])[] = [
  ['@flotilla/core'],
  ['@flotilla/resilience', '@flotilla/http'],
  ['@flotilla/telemetry'],
  ['@flotilla/registry', '@flotilla/config', '@flotilla/rpc', '@flotilla/balance', '@flotilla/store'],
  ['@flotilla/eureka', '@flotilla/dubbo'],
  ['flotilla'],
  ['@flotilla/gateway', '@flotilla/edge', 'create-flotilla'],
  ['@flotilla/cli', '@flotilla/testkit'],
];

/** Every package under `packages/`, sorted so that each comes after those it depends on. */
export function publishedPackages(): Package[] {
  const all = readdirSync(join(root, 'packages')).map((name) => readPackage(join('packages', name)));
  const order = levels.flat();
  return all.sort((a, b) => order.indexOf(a.name) - order.indexOf(b.name));
}

/** The workspaces that are not published: examples and suites. */
export function privatePackages(): Package[] {
  const examples = readdirSync(join(root, 'examples')).map((name) => join('examples', name));
  return [...examples, 'conformance', 'interop'].map(readPackage);
}

function readPackage(folder: string): Package {
  const json = JSON.parse(readFileSync(join(root, folder, 'package.json'), 'utf8'));
  return {
    name: json.name,
    folder,
    private: json.private ?? false,
    version: json.version,
    dependencies: Object.keys({ ...json.dependencies, ...json.peerDependencies }),
    devDependencies: Object.keys(json.devDependencies ?? {}),
    exports: json.exports ?? {},
  };
}
