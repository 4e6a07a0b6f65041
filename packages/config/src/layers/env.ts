import { nearest } from '@flotilla/core';
import { formatKey, type Leaf, leavesOf, variableName } from '../key-names.ts';
import type { Mistakes } from '../mistakes.ts';
import { type ConfigNode, overlay, under } from '../node.ts';
import type { GroupShape, Shape } from '../shape.ts';
import { readWritten } from './written-text.ts';

/** What a file holds that a variable `…_FILE` names, or why it could not be read. */
export type SecretFile = { readonly text: string } | { readonly problem: string };

/** The environment as a layer. */
export interface EnvLayer {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** `FLOTILLA` for `FLOTILLA_PORT`. */
  readonly prefix: string;
  /** Variables with the prefix that belong to somebody else. */
  readonly reserved: readonly string[];
  /** By the name of the variable that ends in `_FILE`. */
  readonly secretFiles: ReadonlyMap<string, SecretFile>;
}

/** Reads every variable that begins with the prefix. One that no key has is a mistake. */
export function envLayer(layer: EnvLayer, shape: Shape, mistakes: Mistakes): ConfigNode | undefined {
  const { env, prefix, reserved } = layer;
  const leaves = new Map(leavesOf(shape).map((leaf) => [variableName(leaf.path, prefix), leaf]));
  let root: ConfigNode | undefined;
  for (const name of Object.keys(env).sort()) {
    const text = env[name];
    if (text === undefined || !name.startsWith(`${prefix}_`) || reserved.includes(name)) continue;
    const leaf = leaves.get(name) ?? secretLeaf(name, leaves);
    if (!leaf) mistakes.add(name, '', () => unknownVariable(name, prefix, shape, [...leaves.keys(), ...reserved]));
    else root = overlay(root, readVariable(name, text, leaf, layer, mistakes));
  }
  return root;
}

const fileSuffix = '_FILE';

function secretLeaf(name: string, leaves: ReadonlyMap<string, Leaf>): Leaf | undefined {
  if (!name.endsWith(fileSuffix)) return undefined;
  const leaf = leaves.get(name.slice(0, -fileSuffix.length));
  return leaf?.shape.secret ? leaf : undefined;
}

function readVariable(
  name: string,
  text: string,
  { path, shape }: Leaf,
  layer: EnvLayer,
  mistakes: Mistakes,
): ConfigNode | undefined {
  const written = name === variableName(path, layer.prefix) ? text : secretText(name, path, layer, mistakes);
  if (written === undefined) return undefined;
  const node = readWritten(written, shape, { source: 'env', name }, mistakes);
  return node && under(path, node);
}

function secretText(name: string, path: readonly string[], layer: EnvLayer, mistakes: Mistakes): string | undefined {
  const plainName = name.slice(0, -fileSuffix.length);
  if (layer.env[plainName] !== undefined) {
    mistakes.add(name, formatKey(path), `set beside ${plainName}; set one of them`);
    return undefined;
  }
  const file = layer.secretFiles.get(name) ?? { problem: 'files are not read here' };
  if ('text' in file) return file.text.replace(/\r?\n$/, '');
  mistakes.add(name, formatKey(path), `the file "${layer.env[name]}" cannot be used: ${file.problem}`);
  return undefined;
}

function unknownVariable(name: string, prefix: string, shape: Shape, known: readonly string[]): string {
  const within = known.filter((candidate) => candidate.startsWith(`${name}_`));
  if (within.length > 0 && groupNamed(name, prefix, shape)) {
    return `is a group; set its keys one by one: ${within.slice(0, 5).join(', ')}${within.length > 5 ? ', …' : ''}`;
  }
  const meant = nearest(name, known);
  return meant === undefined ? 'no key has this variable' : `no key has this variable; did you mean ${meant}?`;
}

function groupNamed(name: string, prefix: string, shape: Shape, path: readonly string[] = []): boolean {
  if (shape.kind !== 'group' || path.length > 16) return false;
  return [...(shape as GroupShape).members].some(
    ([key, member]) =>
      member.kind === 'group' &&
      (variableName([...path, key], prefix) === name || groupNamed(name, prefix, member, [...path, key])),
  );
}
