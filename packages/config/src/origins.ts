import { formatKey } from './key-names.ts';
import { isPlain, shown } from './mask.ts';
import { type ConfigNode, find } from './node.ts';
import type { Shape } from './shape.ts';

/** A value of the effective configuration, and where it came from. JSON throughout; safe to show. */
export interface Origin {
  /** `http.maxBodyBytes` */
  readonly key: string;
  /** Secrets are `***`; null when an optional value is absent. */
  readonly value: unknown;
  readonly source: 'default' | 'file' | 'env' | 'flag';
  /** `flotilla.yaml:12`, `FLOTILLA_HTTP_MAX_BODY_BYTES`, `--http.max-body-bytes`; empty for a default. */
  readonly where: string;
  /** What is written by now, where that counts from the next start only. */
  readonly pending?: Pick<Origin, 'value' | 'source' | 'where'>;
}

/** One row per key that takes a value, in the order of the schema; one per entry of a map; a list is one row. */
export function originsOf(values: unknown, shape: Shape, root: ConfigNode | undefined): Origin[] {
  const rows: Origin[] = [];
  const visit = (value: unknown, at: Shape, path: readonly string[]): void => {
    if (path.length < 64 && at.kind === 'group' && isMembers(value)) {
      for (const [key, member] of at.members) {
        visit(Object.hasOwn(value, key) ? value[key] : undefined, member, [...path, key]);
      }
    } else if (path.length < 64 && at.kind === 'map' && isMembers(value) && Object.keys(value).length > 0) {
      for (const [name, entry] of Object.entries(value)) visit(entry, at.item, [...path, name]);
    } else {
      rows.push(originOf(value, at, path, root));
    }
  };
  visit(values, shape, []);
  return rows;
}

function originOf(value: unknown, shape: Shape, path: readonly string[], root: ConfigNode | undefined): Origin {
  const row = { key: formatKey(path), value: shown(value, shape, path.at(-1) ?? '') };
  const { node, keyPlace } = find(root, path);
  if (!node || !keyPlace) return Object.freeze({ ...row, source: 'default', where: '' });
  const { source, name, line } = keyPlace;
  return Object.freeze({ ...row, source, where: source === 'file' && line > 0 ? `${name}:${line}` : name });
}

function isMembers(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && isPlain(value);
}
