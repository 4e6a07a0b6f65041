import type { FieldPlace } from './field-places.ts';
import type { AnyOperation } from './operation.ts';
import { listed, type Report } from './report.ts';
import { type JsonSchema, jsonSchemaOf, type Schema } from './schema.ts';
import { type Fields, fieldsOf, shapeOfSchemas, shapeOfType, type TextShape } from './text-shape.ts';

/**
 * Text fields need a type: from `coerce`, else from the JSON Schema.
 * @param fields.allTexts also those that nothing binds are texts: of the query, or of a form
 */
export function inputTexts(
  operation: AnyOperation,
  places: Readonly<Record<string, FieldPlace>>,
  { rest, allTexts }: { readonly rest: 'body' | 'query' | 'none'; readonly allTexts: boolean },
  report: Report,
): Record<string, TextShape> {
  const bound = Object.keys(places);
  const coerce = operation.coerce ?? {};
  for (const field of Object.keys(coerce)) {
    if (rest === 'body' && !allTexts && !bound.includes(field)) {
      report(`coerce names "${field}", which travels in the JSON body and needs no coercion`);
    }
  }
  if (operation.in === undefined && bound.length === 0) return {};
  if (bound.length === 0 && !allTexts) return {};
  if (operation.in === undefined) {
    report(`${listed(bound)} ${bound.length === 1 ? 'is' : 'are'} bound, but there is no input ("in")`);
    return {};
  }
  const known = knownFields(operation.in, 'input', report);
  if (!known && bound.length === 0 && Object.keys(coerce).length === 0) {
    const where = rest === 'query' ? 'query' : 'form';
    report(
      `its schema gives no JSON Schema, so the fields of the ${where} are unknown: list them in coerce, as in { id: "string" }`,
    );
  }
  const wanted = allTexts ? [...bound, ...(known?.schemas.keys() ?? []), ...Object.keys(coerce)] : bound;
  return shapesOf(new Set(wanted), coerce, known, 'input', report);
}

/** The fields of a schema whose validator gives a JSON Schema. */
export interface KnownFields extends Fields {
  readonly root: JsonSchema;
}

export function knownFields(schema: Schema, side: 'input' | 'output', report: Report): KnownFields | undefined {
  const root = jsonSchemaOf(schema, side);
  if (!root) return undefined;
  const fields = fieldsOf(root);
  if (!fields) report(`its ${side} is not an object, so its fields cannot travel outside the body`);
  return { root, schemas: fields?.schemas ?? new Map(), required: fields?.required ?? new Set() };
}

/** The shape of each field, from `coerce` or from the schema. */
export function shapesOf(
  fields: Iterable<string>,
  coerce: NonNullable<AnyOperation['coerce']>,
  known: KnownFields | undefined,
  side: 'input' | 'output',
  report: Report,
): Record<string, TextShape> {
  const shapes: Record<string, TextShape> = {};
  for (const field of fields) {
    const explicit = Object.hasOwn(coerce, field) ? coerce[field] : undefined;
    const shape = explicit === undefined ? knownShape(field, known, side, report) : shapeOfType(explicit);
    if (shape) shapes[field] = Object.freeze(shape);
  }
  return shapes;
}

function knownShape(
  field: string,
  known: KnownFields | undefined,
  side: 'input' | 'output',
  report: Report,
): TextShape | undefined {
  if (!known) {
    const remedy =
      side === 'input' ? `add coerce: { ${field}: "string" }` : 'use a schema that gives one, or leave it in the body';
    report(`field "${field}" travels as text, but its schema gives no JSON Schema: ${remedy}`);
    return undefined;
  }
  const schemas = known.schemas.get(field);
  if (!schemas) {
    report(`field "${field}" is bound, but the ${side} has no such field`);
    return undefined;
  }
  const shape = shapeOfSchemas(schemas, known.root, known.required.has(field));
  if (!shape) report(`field "${field}" is an object: it cannot travel as text, only in the body`);
  return shape;
}
