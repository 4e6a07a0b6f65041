import type { TextShape } from './text-shape.ts';

/**
 * The value that the texts of one field stand for. A text that does not fit stays a text: the validator then says what
 * is wrong with it, in its own words.
 *
 * | allowed | text | value |
 * |---|---|---|
 * | an enumerated value | its own text | that value |
 * | text | any | the text, also where a number is allowed too |
 * | boolean | `true`, `false` | boolean |
 * | integer, number | a number of the JSON grammar; for an integer alone at most 2^53-1 | number |
 * | null | empty | null |
 *
 * @returns undefined when the field is absent, an empty list when it is a list that must be there.
 */
export function coerceTexts(texts: readonly string[], shape: TextShape): unknown {
  if (texts.length === 0) return shape.required ? [] : undefined;
  if (shape.list === 'always' || texts.length > 1) return texts.map((text) => coerceText(text, shape));
  return coerceText(texts[0] ?? '', shape);
}

/** One text. */
export function coerceText(text: string, { types, literals }: TextShape): unknown {
  for (const literal of literals) if (literal === text) return text;
  for (const literal of literals) if (literal !== null && String(literal) === text) return literal;
  if (types.includes('string')) return text;
  if (types.includes('boolean') && (text === 'true' || text === 'false')) return text === 'true';
  if (types.includes('number') || types.includes('integer')) {
    const number = parseNumber(text, !types.includes('number'));
    if (number !== undefined) return number;
  }
  if (text === '' && (types.includes('null') || literals.includes(null))) return null;
  return text;
}

/**
 * The texts that stand for a value: one each for the elements of a list, none for `undefined`.
 * @returns undefined when no text says it: an object, a number that is not finite, `null` where empty text is a text.
 */
export function formatTexts(value: unknown, shape: TextShape | undefined): readonly string[] | undefined {
  if (value === undefined) return [];
  const texts: string[] = [];
  for (const item of Array.isArray(value) ? value : [value]) {
    const text = formatText(item, shape);
    if (text === undefined) return undefined;
    texts.push(text);
  }
  return texts;
}

const jsonNumber = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/;

function parseNumber(text: string, integer: boolean): number | undefined {
  if (!jsonNumber.test(text)) return undefined;
  const number = Number(text);
  // Rounding an identifier silently would answer for another one.
  if (integer && !Number.isSafeInteger(number)) return undefined;
  return Number.isFinite(number) ? number : undefined;
}

function formatText(value: unknown, shape: TextShape | undefined): string | undefined {
  switch (typeof value) {
    case 'string':
      return value;
    case 'boolean':
    case 'bigint':
      return String(value);
    case 'number':
      return Number.isFinite(value) ? String(value) : undefined;
    case 'object':
      if (value === null) return shape && coerceText('', shape) === null ? '' : undefined;
      // What JSON.stringify would have sent: a date, say, goes as its ISO text.
      return hasToJson(value) ? formatText(value.toJSON(), shape) : undefined;
    default:
      return undefined;
  }
}

function hasToJson(value: object): value is { toJSON(): unknown } {
  return 'toJSON' in value && typeof value.toJSON === 'function';
}
