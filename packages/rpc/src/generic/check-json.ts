import type { JsonSchema } from '../contract/index.ts';
import { resolveReference } from '../contract/text-shape.ts';

/** What of a value a schema refuses, and where. */
export interface JsonMistake {
  /** From the value inwards: `['items', 0, 'sku']`. Empty: the value itself. */
  readonly path: readonly (string | number)[];
  /** `must be an integer, got "x"` */
  readonly message: string;
}

/** The most mistakes that are named of one value. */
const maxMistakes = 20;
/** A schema that refers to itself has no end; nobody writes a value that is nested deeper than this by hand. */
const maxDepth = 64;

/**
 * What a JSON Schema (draft 2020-12) has against a value. It names only what is wrong for certain: keywords that are not
 * known here (`pattern`, `format`, `not`, `if`, …) are the callee's affair, which validates in any case. So a value that the
 * schema allows is never refused.
 */
export function checkJson(schema: JsonSchema | boolean, value: unknown): readonly JsonMistake[] {
  const root = typeof schema === 'boolean' ? {} : schema;
  const mistakes: JsonMistake[] = [];
  check(schema, value, { root, path: [], depth: 0, mistakes });
  return mistakes;
}

interface Place {
  readonly root: JsonSchema;
  readonly path: readonly (string | number)[];
  readonly depth: number;
  readonly mistakes: JsonMistake[];
}

function check(schema: unknown, value: unknown, place: Place): void {
  if (place.depth > maxDepth || place.mistakes.length >= maxMistakes) return;
  if (schema === false) report(place, 'must not be there');
  if (!isRecord(schema)) return;
  if (typeof schema['$ref'] === 'string') {
    check(resolveReference(schema['$ref'], place.root), value, deeper(place));
  }
  if (!checkType(schema, value, place)) return;
  checkValue(schema, value, place);
  checkBranches(schema, value, place);
  if (typeof value === 'string') checkSize(schema, 'Length', [...value].length, 'characters', place);
  else if (typeof value === 'number') checkNumber(schema, value, place);
  else if (Array.isArray(value)) checkItems(schema, value, place);
  else if (isRecord(value)) checkMembers(schema, value, place);
}

/** @returns whether it is worth looking further. */
function checkType(schema: JsonSchema, value: unknown, place: Place): boolean {
  const { type } = schema;
  if (type === undefined) return true;
  const types = (Array.isArray(type) ? type : [type]).map(String);
  if (types.some((one) => isOfType(one, value))) return true;
  report(place, `must be ${types.map(withArticle).join(' or ')}, got ${shown(value)}`);
  return false;
}

function isOfType(type: string, value: unknown): boolean {
  switch (type) {
    case 'integer':
      return Number.isInteger(value);
    case 'array':
      return Array.isArray(value);
    case 'object':
      return isRecord(value);
    case 'null':
      return value === null;
    case 'string':
    case 'number':
    case 'boolean':
      return typeof value === type;
    default:
      return true; // of a later draft
  }
}

function checkValue(schema: JsonSchema, value: unknown, place: Place): void {
  const allowed = 'const' in schema ? [schema['const']] : schema['enum'];
  if (!Array.isArray(allowed) || allowed.some((one) => sameJson(one, value))) return;
  const named = allowed.slice(0, 10).map((one) => JSON.stringify(one));
  const rest = allowed.length > named.length ? `, … (${allowed.length} in all)` : '';
  report(place, `must be ${named.join(' or ')}${rest}, got ${shown(value)}`);
}

/** Of a union, the branch that comes nearest says what is wrong. */
function checkBranches(schema: JsonSchema, value: unknown, place: Place): void {
  if (Array.isArray(schema['allOf'])) for (const member of schema['allOf']) check(member, value, deeper(place));
  for (const keyword of ['anyOf', 'oneOf']) {
    const members = schema[keyword];
    if (!Array.isArray(members) || members.length === 0) continue;
    const tried = members.map((member) => {
      const mistakes: JsonMistake[] = [];
      check(member, value, { ...deeper(place), mistakes });
      return mistakes;
    });
    if (tried.some((mistakes) => mistakes.length === 0)) continue;
    const nearest = tried.reduce((best, one) => (depthOf(one) > depthOf(best) ? one : best));
    if (depthOf(nearest) > place.path.length) place.mistakes.push(...nearest.slice(0, 1));
    else
      report(
        place,
        `fits none of ${members.length} forms: ${tried
          .flat()
          .map(({ message }) => message)
          .slice(0, 4)
          .join('; ')}`,
      );
  }
}

function checkNumber(schema: JsonSchema, value: number, place: Place): void {
  const { minimum, maximum, exclusiveMinimum, exclusiveMaximum } = schema;
  if (typeof minimum === 'number' && value < minimum) report(place, `must be at least ${minimum}, got ${value}`);
  if (typeof maximum === 'number' && value > maximum) report(place, `must be at most ${maximum}, got ${value}`);
  if (typeof exclusiveMinimum === 'number' && value <= exclusiveMinimum) {
    report(place, `must be greater than ${exclusiveMinimum}, got ${value}`);
  }
  if (typeof exclusiveMaximum === 'number' && value >= exclusiveMaximum) {
    report(place, `must be less than ${exclusiveMaximum}, got ${value}`);
  }
}

function checkItems(schema: JsonSchema, value: readonly unknown[], place: Place): void {
  checkSize(schema, 'Items', value.length, 'elements', place);
  const prefix = Array.isArray(schema['prefixItems']) ? schema['prefixItems'] : [];
  for (const [index, item] of value.entries()) {
    const own = index < prefix.length ? prefix[index] : schema['items'];
    if (own !== undefined) check(own, item, inside(place, index));
  }
}

function checkMembers(schema: JsonSchema, value: Readonly<Record<string, unknown>>, place: Place): void {
  const properties = isRecord(schema['properties']) ? schema['properties'] : {};
  if (Array.isArray(schema['required'])) {
    for (const name of schema['required'].map(String)) {
      if (!Object.hasOwn(value, name)) report(inside(place, name), 'is missing');
    }
  }
  checkSize(schema, 'Properties', Object.keys(value).length, 'fields', place);
  const others = isRecord(schema['patternProperties']) ? undefined : schema['additionalProperties'];
  for (const [name, member] of Object.entries(value)) {
    if (Object.hasOwn(properties, name)) check(properties[name], member, inside(place, name));
    else if (others === false)
      report(inside(place, name), `is no field of it; it has ${Object.keys(properties).join(', ') || 'none'}`);
    else if (others !== undefined) check(others, member, inside(place, name));
  }
}

function checkSize(schema: JsonSchema, of: string, size: number, what: string, place: Place): void {
  const [least, most] = [schema[`min${of}`], schema[`max${of}`]];
  if (typeof least === 'number' && size < least) report(place, `must have at least ${least} ${what}, got ${size}`);
  if (typeof most === 'number' && size > most) report(place, `must have at most ${most} ${what}, got ${size}`);
}

function report({ path, mistakes }: Place, message: string): void {
  if (mistakes.length < maxMistakes) mistakes.push({ path, message });
}

function deeper(place: Place): Place {
  return { ...place, depth: place.depth + 1 };
}

function inside(place: Place, step: string | number): Place {
  return { ...place, path: [...place.path, step], depth: place.depth + 1 };
}

function depthOf(mistakes: readonly JsonMistake[]): number {
  return Math.max(...mistakes.map(({ path }) => path.length));
}

function withArticle(type: string): string {
  if (type === 'null') return 'null';
  return /^[aio]/.test(type) ? `an ${type}` : `a ${type}`;
}

function shown(value: unknown): string {
  if (Array.isArray(value)) return 'a list';
  if (isRecord(value)) return 'an object';
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 60 ? `${text.slice(0, 60)}\u2026` : text;
}

function sameJson(a: unknown, b: unknown): boolean {
  if (Array.isArray(a)) return Array.isArray(b) && a.length === b.length && a.every((item, i) => sameJson(item, b[i]));
  if (!isRecord(a) || !isRecord(b)) return a === b;
  const names = Object.keys(a);
  return (
    names.length === Object.keys(b).length &&
    names.every((name) => Object.hasOwn(b, name) && sameJson(a[name], b[name]))
  );
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
