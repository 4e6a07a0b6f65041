import assert from 'node:assert/strict';
import { Validator } from '@seriousme/openapi-schema-validator';
import { Ajv2020 } from 'ajv/dist/2020.js';

/** An OpenAPI document as its readers see it. */
// biome-ignore lint/suspicious/noExplicitAny: tests look into a document of any depth
export type Document = any;

/**
 * Fails unless a document is right in every way that a tool can check: by the official meta-schema of OpenAPI 3.1, with
 * references that lead somewhere, schemas that are JSON Schema 2020-12, one name per operation, and exactly the path
 * parameters that its paths name.
 * @returns compiles a component, to try values on
 */
export async function assertValidOpenApi(given: unknown): Promise<(schema: string) => (value: unknown) => boolean> {
  const document: Document = JSON.parse(JSON.stringify(given));
  const { valid, errors } = await new Validator().validate(structuredClone(document));
  assert.ok(valid, JSON.stringify(errors, null, 2));
  for (const reference of referencesIn(document)) assert.ok(at(document, reference), `${reference} leads nowhere`);
  const ids: string[] = [];
  for (const [path, item] of Object.entries<Document>(document.paths)) {
    for (const operation of Object.values<Document>(item)) {
      ids.push(operation.operationId);
      const named = (operation.parameters ?? [])
        .filter((one: Document) => one.in === 'path')
        .map((one: Document) => one.name);
      assert.deepEqual(named.toSorted(), [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name).toSorted(), path);
    }
  }
  assert.equal(new Set(ids).size, ids.length, `operationId: ${ids}`);
  const ajv = new Ajv2020({ strict: false, validateFormats: false });
  ajv.addSchema(document, 'document');
  const compile = (name: string) => {
    const check = ajv.compile({ $ref: `document#/components/schemas/${name}` });
    return (value: unknown): boolean => check(value);
  };
  for (const name of Object.keys(document.components.schemas)) compile(name);
  return compile;
}

function referencesIn(value: unknown): string[] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, member]) =>
    key === '$ref' && typeof member === 'string' ? [member] : referencesIn(member),
  );
}

function at(document: unknown, reference: string): unknown {
  let place: unknown = document;
  for (const step of reference.slice(2).split('/')) {
    place = (place as Record<string, unknown> | undefined)?.[step.replaceAll('~1', '/').replaceAll('~0', '~')];
  }
  return place;
}
