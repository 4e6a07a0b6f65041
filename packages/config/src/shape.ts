import { type JsonSchema, restartKeyword } from './setting.ts';

/** What a schema says about a value, as far as reading configuration needs it. */
export type Shape = GroupShape | MapShape | ListShape | ValueShape;

interface Common {
  /** Shown as `***`. */
  readonly secret: boolean;
  /** A change counts from the next start only. */
  readonly restart: boolean;
}

/** Known keys, nothing else. */
export interface GroupShape extends Common {
  readonly kind: 'group';
  readonly members: ReadonlyMap<string, Shape>;
  /** Members that somebody has to write. */
  readonly required: ReadonlySet<string>;
}

/** Free names, one shape of value. */
export interface MapShape extends Common {
  readonly kind: 'map';
  readonly item: Shape;
}

export interface ListShape extends Common {
  readonly kind: 'list';
  readonly item: Shape;
}

/** A scalar of one of `types`; with no types, anything at all: the schema cannot say. */
export interface ValueShape extends Common {
  readonly kind: 'value';
  readonly types: ReadonlySet<ScalarType>;
}

export type ScalarType = 'string' | 'integer' | 'number' | 'boolean';

/**
 * Reads a JSON Schema (2020-12, as Standard Schema libraries give it). An object with `properties` is a group, and
 * closed: a key that it does not name is a mistake even where the validator would drop it. What is read: `type`,
 * `properties`, `required`, `additionalProperties`, `items`, `enum`, `const`, `allOf`, `anyOf` and `oneOf` of one
 * branch beside null, `$ref` within the document, `writeOnly` or `format: password` for a secret, and
 * `x-flotilla-restart` for what a running process does not take in.
 */
export function shapeOf(root: JsonSchema): Shape {
  return new ShapeReader(root).read(root);
}

const scalarTypes: ReadonlySet<string> = new Set<ScalarType>(['string', 'integer', 'number', 'boolean']);

class ShapeReader {
  readonly #root: JsonSchema;
  /** By schema object, so that a schema that refers to itself ends in a ring instead of a loop. */
  readonly #read = new Map<JsonSchema, Shape>();
  readonly #resolved = new Map<JsonSchema, JsonSchema>();

  constructor(root: JsonSchema) {
    this.#root = root;
  }

  read(written: unknown): Shape {
    const schema = this.#resolve(asSchema(written));
    const common = {
      secret: schema['writeOnly'] === true || schema['format'] === 'password',
      restart: schema[restartKeyword] === true,
    };
    if (isRecord(schema['properties'])) return this.#group(schema, common);
    if (isRecord(schema['additionalProperties'])) return this.#map(schema, schema['additionalProperties'], common);
    if (schema['type'] === 'array') return this.#list(schema, common);
    return { kind: 'value', types: typesOf(schema), ...common };
  }

  #group(schema: JsonSchema, common: Common): Shape {
    const known = this.#read.get(schema);
    if (known) return known;
    const members = new Map<string, Shape>();
    const required = new Set<string>(Array.isArray(schema['required']) ? schema['required'] : []);
    const shape: GroupShape = { kind: 'group', members, required, ...common };
    this.#read.set(schema, shape);
    for (const [key, member] of Object.entries(asSchema(schema['properties']))) {
      members.set(key, this.read(member));
    }
    return shape;
  }

  #map(schema: JsonSchema, item: JsonSchema, common: Common): Shape {
    const known = this.#read.get(schema);
    if (known) return known;
    const shape: { -readonly [K in keyof MapShape]: MapShape[K] } = { kind: 'map', item: anything, ...common };
    this.#read.set(schema, shape);
    shape.item = this.read(item);
    return shape;
  }

  #list(schema: JsonSchema, common: Common): Shape {
    const known = this.#read.get(schema);
    if (known) return known;
    const shape: { -readonly [K in keyof ListShape]: ListShape[K] } = { kind: 'list', item: anything, ...common };
    this.#read.set(schema, shape);
    shape.item = this.read(schema['items']);
    return shape;
  }

  /** One result per schema object, so that `#read` recognises what it has met. */
  #resolve(schema: JsonSchema): JsonSchema {
    const known = this.#resolved.get(schema);
    if (known) return known;
    const resolved = this.#follow(schema, 0);
    this.#resolved.set(schema, resolved);
    return resolved;
  }

  /** Follows `$ref`, folds `allOf`, and steps into the one branch of a union that is not null. */
  #follow(schema: JsonSchema, steps: number): JsonSchema {
    if (steps > 16) return {};
    const { $ref: ref, allOf, ...beside } = schema;
    if (typeof ref === 'string') {
      const referred = this.#referred(ref);
      if (Object.keys(beside).length === 0) return this.#resolve(referred);
      return this.#follow(merged(referred, beside), steps + 1);
    }
    if (Array.isArray(allOf))
      return allOf.map((part) => this.#follow(asSchema(part), steps + 1)).reduce(merged, beside);
    const branches = [schema['anyOf'] ?? schema['oneOf'] ?? []].flat().filter((branch) => !isNull(branch));
    if (branches.length === 1) return this.#follow(merged(schema, asSchema(branches[0])), steps + 1);
    return schema;
  }

  #referred(ref: string): JsonSchema {
    let at: unknown = this.#root;
    for (const step of ref.replace(/^#\/?/, '').split('/').filter(Boolean)) {
      const name = step.replaceAll('~1', '/').replaceAll('~0', '~');
      at = isRecord(at) && Object.hasOwn(at, name) ? at[name] : undefined;
    }
    return asSchema(at);
  }
}

const anything: Shape = Object.freeze({ kind: 'value', types: new Set<ScalarType>(), secret: false, restart: false });

function merged(outer: JsonSchema, inner: JsonSchema): JsonSchema {
  const { anyOf: _anyOf, oneOf: _oneOf, ...rest } = outer;
  const both = { ...rest, ...inner };
  if (!isRecord(outer['properties']) || !isRecord(inner['properties'])) return both;
  return {
    ...both,
    properties: { ...outer['properties'], ...inner['properties'] },
    required: [outer['required'] ?? [], inner['required'] ?? []].flat(),
  };
}

function typesOf(schema: JsonSchema): Set<ScalarType> {
  const stated = [schema['type'] ?? []].flat();
  const values = [schema['enum'] ?? (Object.hasOwn(schema, 'const') ? schema['const'] : [])].flat();
  const names = stated.length > 0 ? stated : values.map((value) => typeof value);
  return new Set(names.filter((name): name is ScalarType => scalarTypes.has(String(name))));
}

function isNull(branch: unknown): boolean {
  return isRecord(branch) && branch['type'] === 'null';
}

function asSchema(value: unknown): JsonSchema {
  return isRecord(value) ? value : {};
}

function isRecord(value: unknown): value is JsonSchema {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
