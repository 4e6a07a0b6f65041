import { nearest } from '@flotilla/core';
import { flagName, formatKey, leavesOf, wordsOf } from '../key-names.ts';
import type { Mistakes } from '../mistakes.ts';
import { type ConfigNode, find, forbiddenKeys, type ListNode, overlay, under } from '../node.ts';
import type { Shape } from '../shape.ts';
import { readWritten } from './written-text.ts';

/**
 * Reads flags. One rule: `--` and the key in kebab case, steps joined by dots, the value after `=` or as the next
 * argument. A boolean alone is true and takes a value only after `=`. A list may be given several times. Below a map the
 * step is the entry's own name: `--labels.team=blue`.
 */
export function flagLayer(args: readonly string[], shape: Shape, mistakes: Mistakes): ConfigNode | undefined {
  let root: ConfigNode | undefined;
  for (let i = 0; i < args.length; i++) {
    const argument = args[i] ?? '';
    const [, name, , inline] = /^(--[^=]+)(=([\s\S]*))?$/.exec(argument) ?? [];
    if (name === undefined) {
      mistakes.add(quoted(argument), '', 'is not a flag; flags are written --key=value');
      continue;
    }
    const target = resolveFlag(name, shape);
    if (!target) {
      mistakes.add(name, '', () => unknownFlag(name, shape));
      if (inline === undefined && isValue(args[i + 1])) i += 1; // its value, not an argument of its own
      continue;
    }
    let text = inline ?? (isBoolean(target.shape) ? 'true' : undefined);
    if (text === undefined && isValue(args[i + 1])) text = args[++i];
    if (text === undefined) mistakes.add(name, formatKey(target.path), 'needs a value: write it after "="');
    else root = add(root, name, text, target, mistakes);
  }
  return root;
}

interface Target {
  readonly path: readonly string[];
  readonly shape: Shape;
}

/** Undefined when no key has this flag, or when it names a group. */
function resolveFlag(name: string, root: Shape): Target | undefined {
  let shape = root;
  const path: string[] = [];
  for (const step of name.slice(2).split('.')) {
    const next = stepInto(shape, step);
    if (!next) return undefined;
    path.push(next.key);
    shape = next.shape;
  }
  return shape.kind === 'group' ? undefined : { path, shape };
}

function stepInto(shape: Shape, step: string): { readonly key: string; readonly shape: Shape } | undefined {
  if (shape.kind === 'map' && step !== '' && !forbiddenKeys.has(step)) return { key: step, shape: shape.item };
  if (shape.kind !== 'group') return undefined;
  for (const [key, member] of shape.members) {
    if (wordsOf(key).join('-').toLowerCase() === step) return { key, shape: member };
  }
  return undefined;
}

function add(
  root: ConfigNode | undefined,
  name: string,
  text: string,
  { path, shape }: Target,
  mistakes: Mistakes,
): ConfigNode | undefined {
  const node = readWritten(text, shape, { source: 'flag', name }, mistakes);
  const earlier = find(root, path).node;
  if (!node || !earlier) return overlay(root, node && under(path, node));
  if (shape.kind === 'list' && node.kind === 'list' && earlier.kind === 'list') {
    const joined: ListNode = { ...node, items: [...earlier.items, ...node.items] };
    return overlay(root, under(path, joined));
  }
  if (shape.kind === 'map') return overlay(root, under(path, node));
  mistakes.add(name, formatKey(path), 'is given twice');
  return root;
}

function unknownFlag(name: string, shape: Shape): string {
  const known = leavesOf(shape).map(({ path }) => flagName(path));
  const within = known.filter((candidate) => candidate.startsWith(`${name}.`));
  if (within.length > 0) return `is a group; set its keys one by one: ${within.slice(0, 5).join(', ')}`;
  const meant = nearest(name, known);
  return meant === undefined ? 'no key has this flag' : `no key has this flag; did you mean ${meant}?`;
}

function isBoolean(shape: Shape): boolean {
  return shape.kind === 'value' && shape.types.size === 1 && shape.types.has('boolean');
}

function isValue(argument: string | undefined): boolean {
  return argument !== undefined && !argument.startsWith('--');
}

function quoted(text: string): string {
  return JSON.stringify(text.slice(0, 100));
}
