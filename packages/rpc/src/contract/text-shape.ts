import type { TextType } from './http-binding.ts';
import type { JsonSchema } from './schema.ts';

/** What one text may stand for. */
export type TextScalar = 'string' | 'number' | 'integer' | 'boolean' | 'null';

/** How the text of a field becomes a value, and back. Plain JSON: it travels in a contract's description. */
export interface TextShape {
  readonly types: readonly TextScalar[];
  /** Values that a schema enumerates; a text that is one of them stands for it. Empty: none are enumerated. */
  readonly literals: readonly (string | number | boolean | null)[];
  /** Whether the value is a list: never, always, or when the field is given more than once. */
  readonly list: 'never' | 'always' | 'repeated';
  /** A list that must be there is empty when the field is absent. */
  readonly required: boolean;
}

/** The shape that an explicit `coerce` names. */
export function shapeOfType(type: TextType): TextShape {
  const list = type.endsWith('[]');
  const scalar = (list ? type.slice(0, -2) : type) as TextScalar;
  return { types: [scalar], literals: [], list: list ? 'always' : 'never', required: list };
}

/**
 * The shape that JSON Schemas of one field give: what any of them allows. References are followed, unions are joined,
 * unknown keywords allow text.
 * @param root the document that references point into.
 * @returns undefined when nothing but objects, or lists of them, is allowed: no text says those.
 */
export function shapeOfSchemas(
  schemas: readonly unknown[],
  root: JsonSchema,
  required: boolean,
): TextShape | undefined {
  const one = emptyFindings();
  for (const schema of schemas) collect(schema, root, one, 0);
  const items = one.items;
  if (!saysText(one) && !(items && saysText(items))) return undefined;
  const list = !items || !saysText(items) ? 'never' : saysText(one) ? 'repeated' : 'always';
  return {
    types: [...new Set([...one.types, ...(items?.types ?? [])])],
    literals: [...new Set([...one.literals, ...(items?.literals ?? [])])],
    list,
    required: required && list === 'always',
  };
}

/** The fields that a JSON Schema names, each with every schema that it has in a branch of a union. */
export interface Fields {
  readonly schemas: ReadonlyMap<string, readonly unknown[]>;
  readonly required: ReadonlySet<string>;
}

/** @returns undefined when the schema is of something other than an object. */
export function fieldsOf(root: JsonSchema): Fields | undefined {
  const fields = { schemas: new Map<string, unknown[]>(), required: new Set<string>() };
  return collectFields(root, root, fields, true, 0) ? fields : undefined;
}

// A schema that refers to itself has no end; deeper than this there is no scalar that a person wrote.
const maxDepth = 32;

interface Findings {
  readonly types: Set<TextScalar>;
  readonly literals: Set<string | number | boolean | null>;
  /** Of the elements, when a list is allowed. */
  items: Findings | undefined;
}

function emptyFindings(): Findings {
  return { types: new Set(), literals: new Set(), items: undefined };
}

function saysText({ types, literals }: Findings): boolean {
  // null alone is what a union of an object and null leaves.
  return [...types, ...literals].some((found) => found !== 'null' && found !== null);
}

function collect(schema: unknown, root: JsonSchema, found: Findings, depth: number): void {
  if (depth > maxDepth) return;
  if (!isRecord(schema)) {
    if (schema !== false) found.types.add('string');
    return;
  }
  const enumerated = 'const' in schema ? [schema['const']] : schema['enum'];
  if (Array.isArray(enumerated)) {
    for (const value of enumerated) if (isScalar(value)) found.literals.add(value);
    return;
  }
  const branches = branchesOf(schema, root);
  if (branches) {
    for (const branch of branches) collect(branch, root, found, depth + 1);
    return;
  }
  const types = schema['type'];
  if (types === undefined) found.types.add('string');
  else for (const type of Array.isArray(types) ? types : [types]) collectType(type, schema, root, found, depth);
}

function collectType(type: unknown, schema: JsonSchema, root: JsonSchema, found: Findings, depth: number): void {
  if (type === 'object') return;
  if (type !== 'array') {
    found.types.add(isTextScalar(type) ? type : 'string');
    return;
  }
  found.items ??= emptyFindings();
  const prefix = schema['prefixItems'];
  for (const item of Array.isArray(prefix) ? prefix : [schema['items']]) collect(item, root, found.items, depth + 1);
}

/** @param certain false inside a union: what one branch requires, another may leave out. */
function collectFields(
  schema: unknown,
  root: JsonSchema,
  fields: { readonly schemas: Map<string, unknown[]>; readonly required: Set<string> },
  certain: boolean,
  depth: number,
): boolean {
  if (!isRecord(schema) || depth > maxDepth) return false;
  const { properties, required } = schema;
  if (isRecord(properties)) {
    for (const [name, field] of Object.entries(properties)) {
      fields.schemas.set(name, [...(fields.schemas.get(name) ?? []), field]);
    }
  }
  if (certain && Array.isArray(required)) for (const name of required) fields.required.add(String(name));
  const branches = branchesOf(schema, root);
  if (!branches) return schema['type'] === 'object' || isRecord(properties);
  const stillCertain = certain && !('anyOf' in schema) && !('oneOf' in schema);
  return branches.map((branch) => collectFields(branch, root, fields, stillCertain, depth + 1)).some(Boolean);
}

/** The schemas that stand for this one: what it refers to, or the members of its union. */
function branchesOf(schema: JsonSchema, root: JsonSchema): readonly unknown[] | undefined {
  if (typeof schema['$ref'] === 'string') return [resolveReference(schema['$ref'], root)];
  for (const keyword of ['anyOf', 'oneOf', 'allOf']) {
    const members = schema[keyword];
    if (Array.isArray(members)) return keyword === 'allOf' ? members.filter(constrainsType) : members;
  }
  return undefined;
}

/** A member of `allOf` with only, say, a pattern says nothing about the type; counting it would allow any text. */
function constrainsType(schema: unknown): boolean {
  return (
    isRecord(schema) &&
    ['type', 'const', 'enum', '$ref', 'anyOf', 'oneOf', 'allOf', 'properties'].some((keyword) => keyword in schema)
  );
}

/** `#`, `#/$defs/Name`: a JSON Pointer (RFC 6901) into the document. Anything else allows anything. */
export function resolveReference(reference: string, root: JsonSchema): unknown {
  if (!reference.startsWith('#')) return true;
  let place: unknown = root;
  for (const step of reference.slice(1).split('/').slice(1)) {
    const key = decodeURIComponent(step).replaceAll('~1', '/').replaceAll('~0', '~');
    if (typeof place !== 'object' || place === null || !Object.hasOwn(place, key)) return true;
    place = (place as JsonSchema)[key];
  }
  return place;
}

function isRecord(value: unknown): value is JsonSchema {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isScalar(value: unknown): value is string | number | boolean | null {
  return value === null || typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean';
}

function isTextScalar(type: unknown): type is TextScalar {
  return type === 'string' || type === 'number' || type === 'integer' || type === 'boolean' || type === 'null';
}
