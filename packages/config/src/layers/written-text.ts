import type { Mistakes } from '../mistakes.ts';
import type { ConfigNode, Place } from '../node.ts';
import type { Shape } from '../shape.ts';
import { readYaml } from '../yaml.ts';

/**
 * The value of a variable or a flag:
 * - a scalar is the text itself;
 * - a list is `a, b, c`, or `[…]` in YAML's flow style, of which JSON is a part;
 * - a map is `{…}` in the same style.
 */
export function readWritten(
  text: string,
  shape: Shape,
  at: Pick<Place, 'source' | 'name'>,
  mistakes: Mistakes,
): ConfigNode | undefined {
  const place: Place = { ...at, line: 0, column: 0 };
  const trimmed = text.trim();
  if (shape.kind === 'value') return { kind: 'scalar', value: text, text, place };
  if (shape.kind === 'list' && !trimmed.startsWith('[')) {
    const items = trimmed === '' ? [] : trimmed.split(',').map((item) => item.trim());
    return { kind: 'list', items: items.map((item) => ({ kind: 'scalar', value: item, text: item, place })), place };
  }
  if (shape.kind === 'map' && !trimmed.startsWith('{')) {
    mistakes.add(at.name, '', 'must be a map, written as {"name": "value"}');
    return undefined;
  }
  return readYaml(text, at, mistakes);
}
