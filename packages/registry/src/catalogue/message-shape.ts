/** What is known of one field of a message. */
export interface FieldShape {
  /** Whether it is there whenever the object around it is. */
  readonly required: boolean;
  /** JSON Schema's types; `any` where the schema does not say. `integer` is told apart from `number`. */
  readonly types: ReadonlySet<string>;
  /** The values that it may have, as JSON; undefined: any of its types. */
  readonly values?: ReadonlySet<string>;
  /** Of an object: it takes no further fields. */
  readonly closed: boolean;
}

/** The fields of a message by path: `` is the message itself, `price`, `items[].sku`, `tags[]`, `prices{}` for the values of a map. */
export type MessageShape = ReadonlyMap<string, FieldShape>;

/** Deeper fields, and more of them, are not looked at: a schema may refer to itself. */
const maxDepth = 12;
const maxFields = 2_000;

/**
 * The fields that a JSON Schema (2020-12) names. References within the document are followed; of a union each branch
 * counts: a field is required where all branches that are objects require it.
 */
export function messageShape(schema: unknown): MessageShape {
  const budget = { left: maxFields };
  return fieldsAt(schema, schema, '', true, 0, budget);
}

function fieldsAt(
  schema: unknown,
  root: unknown,
  path: string,
  required: boolean,
  depth: number,
  budget: { left: number },
): Map<string, FieldShape> {
  const found = new Map<string, FieldShape>();
  if (--budget.left < 0) return found;
  const resolved = resolve(schema, root);
  if (!isRecord(resolved) || depth > maxDepth) return found.set(path, { required, types: any, closed: false });
  const branches = listOf(resolved['anyOf']) ?? listOf(resolved['oneOf']);
  if (branches) {
    return eitherOf(branches.map((branch) => fieldsAt(branch, root, path, required, depth + 1, budget)));
  }
  found.set(path, fieldOf(resolved, required));
  const needed = new Set(listOf(resolved['required']) ?? []);
  for (const [name, property] of Object.entries(recordOf(resolved['properties']))) {
    const inner = path === '' ? name : `${path}.${name}`;
    addAll(found, fieldsAt(property, root, inner, needed.has(name), depth + 1, budget));
  }
  if (isRecord(resolved['items'])) {
    addAll(found, fieldsAt(resolved['items'], root, `${path}[]`, true, depth + 1, budget));
  }
  if (isRecord(resolved['additionalProperties']) && Object.keys(resolved['additionalProperties']).length > 0) {
    addAll(found, fieldsAt(resolved['additionalProperties'], root, `${path}{}`, true, depth + 1, budget));
  }
  for (const part of listOf(resolved['allOf']) ?? []) {
    for (const [inner, field] of fieldsAt(part, root, path, required, depth + 1, budget)) {
      const known = found.get(inner);
      found.set(inner, known ? both(known, field) : field);
    }
  }
  return found;
}

function fieldOf(schema: Readonly<Record<string, unknown>>, required: boolean): FieldShape {
  const enumerated = 'const' in schema ? [schema['const']] : listOf(schema['enum']);
  const types = new Set<string>();
  for (const type of [schema['type']].flat()) if (typeof type === 'string') types.add(type);
  if (types.size === 0) for (const value of enumerated ?? []) types.add(typeOf(value));
  if (types.size === 0) types.add('properties' in schema ? 'object' : 'any');
  return {
    required,
    types,
    ...(enumerated ? { values: new Set(enumerated.map((value) => JSON.stringify(value))) } : undefined),
    closed: schema['additionalProperties'] === false,
  };
}

/** Of a union. A branch that is null says nothing of the fields of the others. */
function eitherOf(branches: readonly MessageShape[]): Map<string, FieldShape> {
  const joined = new Map<string, FieldShape>();
  const told = branches.filter((branch) => ![...branch.values()].every(({ types }) => types.has('null')));
  for (const branch of branches) {
    for (const [path, field] of branch) {
      const known = joined.get(path);
      const everywhere = told.every((other) => other.get(path)?.required ?? false) || told.length === 0;
      joined.set(
        path,
        known ? { ...eitherField(known, field), required: everywhere } : { ...field, required: everywhere },
      );
    }
  }
  return joined;
}

function eitherField(one: FieldShape, other: FieldShape): FieldShape {
  const values = one.values && other.values ? { values: one.values.union(other.values) } : undefined;
  return {
    required: one.required && other.required,
    types: one.types.union(other.types),
    ...values,
    closed: one.closed && other.closed,
  };
}

function both(one: FieldShape, other: FieldShape): FieldShape {
  const values = one.values ?? other.values;
  const specific = one.types.has('any') ? other.types : one.types;
  return {
    required: one.required || other.required,
    types: specific,
    ...(values ? { values } : undefined),
    closed: one.closed || other.closed,
  };
}

/** `#`, `#/$defs/Name`: what a reference of the same document means (RFC 6901). */
function resolve(schema: unknown, root: unknown): unknown {
  let at = schema;
  for (let hops = 0; isRecord(at) && typeof at['$ref'] === 'string' && hops < maxDepth; hops++) {
    const reference: string = at['$ref'];
    if (!reference.startsWith('#')) return undefined;
    at = reference
      .slice(1)
      .split('/')
      .filter((part) => part !== '')
      .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'))
      .reduce<unknown>(
        (inner, part) => (isRecord(inner) && Object.hasOwn(inner, part) ? inner[part] : undefined),
        root,
      );
  }
  return at;
}

function typeOf(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'array';
  return Number.isInteger(value) ? 'integer' : typeof value;
}

const any: ReadonlySet<string> = new Set(['any']);

function addAll(into: Map<string, FieldShape>, from: MessageShape): void {
  for (const [path, field] of from) into.set(path, field);
}

function listOf(value: unknown): readonly unknown[] | undefined {
  return Array.isArray(value) ? value : undefined;
}

function recordOf(value: unknown): Readonly<Record<string, unknown>> {
  return isRecord(value) ? value : {};
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
