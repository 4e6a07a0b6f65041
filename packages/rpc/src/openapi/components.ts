import type { JsonSchema } from '../contract/index.ts';
import { fieldsOf, resolveReference } from '../contract/text-shape.ts';

/**
 * The schemas of a document under names of their own, so that tools that generate code have names for types, and so that
 * references inside a validator's schema point somewhere: they were written for a document that is that schema alone.
 */
export class Components {
  readonly schemas: Record<string, JsonSchema> = {};
  /** What could not be said, in sentences. */
  readonly warnings: string[] = [];

  /**
   * @param schema undefined: its validator gives none; anything is allowed then, and a warning says so
   * @returns a reference to it
   */
  add(name: string, schema: JsonSchema | undefined): JsonSchema {
    if (!schema) {
      this.warnings.push(`${name}: its validator gives no JSON Schema, so the document allows anything there`);
      return {};
    }
    const { $schema: _, $id: __, ...own } = schema;
    this.schemas[name] ??= rebased(own, pointerTo(name)) as JsonSchema;
    return { $ref: pointerTo(name) };
  }

  /**
   * One field of an object schema, wherever a union has it.
   * @param name of the whole schema, which is added when the field refers into it
   */
  field(name: string, root: JsonSchema, field: string): JsonSchema | undefined {
    const schemas = fieldsOf(root)?.schemas.get(field);
    if (!schemas) return undefined;
    if (schemas.some(hasReference)) this.add(name, root);
    const own = schemas.map((schema) => rebased(schema, pointerTo(name)));
    const [only] = own;
    return own.length === 1 && isRecord(only) ? only : { anyOf: own };
  }
}

/** An object schema without some of its fields, because they travel elsewhere. */
export function withoutFields(root: JsonSchema, fields: readonly string[]): JsonSchema {
  if (fields.length === 0) return root;
  const target = typeof root['$ref'] === 'string' ? resolveReference(root['$ref'], root) : root;
  if (!isRecord(target)) return root;
  const cut: Record<string, unknown> = {
    ...(root['$defs'] === undefined ? undefined : { $defs: root['$defs'] }),
    ...target,
  };
  if (isRecord(cut['properties'])) {
    cut['properties'] = Object.fromEntries(
      Object.entries(cut['properties']).filter(([name]) => !fields.includes(name)),
    );
  }
  if (Array.isArray(cut['required'])) {
    const required = cut['required'].filter((name) => !fields.includes(name as string));
    if (required.length > 0) cut['required'] = required;
    else delete cut['required'];
  }
  for (const keyword of ['anyOf', 'oneOf', 'allOf']) {
    const members = cut[keyword];
    if (Array.isArray(members))
      cut[keyword] = members.map((member) => (isRecord(member) ? withoutFields(member, fields) : member));
  }
  return cut;
}

/** Must a value of this schema be there at all? An object all of whose fields may be absent need not. */
export function needsValue(schema: JsonSchema | undefined): boolean {
  if (!schema) return false;
  const fields = fieldsOf(schema);
  return !fields || fields.required.size > 0;
}

export function isRecord(value: unknown): value is JsonSchema {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function pointerTo(name: string): string {
  return `#/components/schemas/${name}`;
}

// Their values are data, whatever they look like.
const dataKeywords: ReadonlySet<string> = new Set(['const', 'enum', 'default', 'examples', 'example']);

function rebased(value: unknown, pointer: string): unknown {
  if (Array.isArray(value)) return value.map((item) => rebased(item, pointer));
  if (!isRecord(value)) return value;
  const entries = Object.entries(value).map(([key, member]) => {
    if (key === '$ref' && typeof member === 'string' && member.startsWith('#')) return [key, pointer + member.slice(1)];
    return [key, dataKeywords.has(key) ? member : rebased(member, pointer)];
  });
  return Object.fromEntries(entries);
}

function hasReference(value: unknown): boolean {
  if (Array.isArray(value)) return value.some(hasReference);
  if (!isRecord(value)) return false;
  return Object.entries(value).some(([key, member]) =>
    key === '$ref' ? typeof member === 'string' : !dataKeywords.has(key) && hasReference(member),
  );
}
