import { type CatalogueContract, fingerprint, readContract } from '../catalogue/contract-document.ts';

/** The text of a contract with one query `product`, of which a test says what it is about, and its fingerprint. */
export function contractSource(operation: object = {}): { readonly hash: string; readonly text: string } {
  const http = { method: 'GET', path: '/products/{id}' };
  const text = JSON.stringify([{ errors: [], http, idempotent: true, kind: 'query', name: 'product', ...operation }]);
  return { hash: fingerprint(text), text };
}

export function aContract(operation: object): CatalogueContract {
  const { hash, text } = contractSource(operation);
  return readContract(hash, text);
}

/** The JSON Schema of an object; `note?` need not be there. */
export function object(properties: Readonly<Record<string, unknown>>): object {
  const fields = Object.entries(properties).map(([name, schema]) => [name.replace('?', ''), schema]);
  const required = Object.keys(properties).filter((name) => !name.endsWith('?'));
  return { type: 'object', properties: Object.fromEntries(fields), required };
}
