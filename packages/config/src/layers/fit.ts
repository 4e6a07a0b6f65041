import { formatKey, type Leaf } from '../key-names.ts';
import type { Mistakes } from '../mistakes.ts';
import { type ConfigNode, formatPlace, type MapEntry, type MapNode, type ScalarNode } from '../node.ts';
import { unknownKeyProblem } from '../settings/collections.ts';
import type { GroupShape, Shape, ValueShape } from '../shape.ts';

/** What fitting needs beside the node. */
export interface FitContext {
  readonly mistakes: Mistakes;
  /** Every key that exists, for one that was written in the wrong group. */
  readonly leaves: readonly Leaf[];
}

/**
 * One layer, made to fit the schema's shape: nulls are left out (they count as absent), unknown keys are left out and
 * reported, and scalars become what the schema takes. A value that does not fit stays as it is: the validator says why.
 */
export function fit(
  node: ConfigNode,
  shape: Shape,
  path: readonly (string | number)[],
  context: FitContext,
): ConfigNode | undefined {
  if (node.kind === 'scalar') return node.value === null ? undefined : fitScalar(node, shape);
  if (node.kind === 'list') {
    if (shape.kind !== 'list') return node;
    const items = node.items.map((item, position) => fit(item, shape.item, [...path, position], context) ?? item);
    return { ...node, items };
  }
  if (shape.kind === 'group') return fitGroup(node, shape, path, context);
  return shape.kind === 'map' ? fitEntries(node, () => shape.item, path, context) : node;
}

function fitGroup(node: MapNode, shape: GroupShape, path: readonly (string | number)[], context: FitContext): MapNode {
  for (const [key, { keyPlace }] of node.entries) {
    if (shape.members.has(key)) continue;
    context.mistakes.add(formatPlace(keyPlace), formatKey([...path, key]), () => misplaced(key, shape, context));
  }
  return fitEntries(node, (key) => shape.members.get(key), path, context);
}

function fitEntries(
  node: MapNode,
  shapeOfKey: (key: string) => Shape | undefined,
  path: readonly (string | number)[],
  context: FitContext,
): MapNode {
  const entries = new Map<string, MapEntry>();
  for (const [key, entry] of node.entries) {
    const shape = shapeOfKey(key);
    const fitted = shape && fit(entry.node, shape, [...path, key], context);
    if (fitted) entries.set(key, { keyPlace: entry.keyPlace, node: fitted });
  }
  return { ...node, entries };
}

/** A key that exists elsewhere is more likely meant than a sibling of like spelling. */
function misplaced(key: string, shape: GroupShape, { leaves }: FitContext): string {
  const elsewhere = leaves.find(({ path }) => path.at(-1) === key);
  if (elsewhere) return `no such key here; did you mean "${formatKey(elsewhere.path)}"?`;
  return unknownKeyProblem(key, shape.members.keys());
}

function fitScalar(node: ScalarNode, shape: Shape): ScalarNode {
  const value = shape.kind === 'value' ? coerce(node, shape) : node.value;
  return value === node.value ? node : { ...node, value };
}

/** One rule for every layer: what was written is read as the type that the schema takes, when it reads as one. */
function coerce({ value, text }: ScalarNode, { types }: ValueShape): ScalarNode['value'] {
  if (typeof value !== 'string') return types.has('string') && !takes(types, value) ? text : value;
  if (types.has('string')) return value;
  if (types.has('boolean') && (value === 'true' || value === 'false')) return value === 'true';
  if (types.has('integer') && /^[+-]?\d{1,16}$/.test(value)) return Number(value);
  if (types.has('number') && /^[+-]?\d{1,400}(\.\d{1,400})?([eE][+-]?\d{1,3})?$/.test(value)) return Number(value);
  return value;
}

function takes(types: ValueShape['types'], value: boolean | number | null): boolean {
  return typeof value === 'boolean' ? types.has('boolean') : types.has('integer') || types.has('number');
}
