import type { JsonSchema } from './schema.ts';

/** Nobody reads more; and what a peer sent must not keep us busy. */
const limits = Object.freeze({ differences: 10, depth: 8, fields: 200, text: 80 });

/**
 * In what two states of a schema differ, field by field, as sentences: `"quantity" is required there, and unknown here`.
 * Objects are compared by their fields, lists by their items; of anything else the types are compared.
 * @param here the schema of this side
 * @param there that of the peer, from outside
 */
export function schemaDifferences(here: JsonSchema, there: JsonSchema): string[] {
  const found: string[] = [];
  compare('', here, there, 0, found);
  return found;
}

function compare(path: string, here: unknown, there: unknown, depth: number, found: string[]): void {
  if (depth > limits.depth || found.length >= limits.differences) return;
  if (!isRecord(here) || !isRecord(there)) return;
  const [ours, theirs] = [typeOf(here), typeOf(there)];
  if (ours !== theirs) {
    found.push(`${shown(path)} is ${theirs} there, and ${ours} here`);
    return;
  }
  compareFields(path, here, there, depth, found);
  if (isRecord(here['items']) && isRecord(there['items'])) {
    compare(join(path, '*'), here['items'], there['items'], depth + 1, found);
  }
}

function compareFields(path: string, here: JsonSchema, there: JsonSchema, depth: number, found: string[]): void {
  const ours = fieldsOf(here);
  const theirs = fieldsOf(there);
  for (const name of new Set([...Object.keys(ours), ...Object.keys(theirs)].slice(0, limits.fields))) {
    if (found.length >= limits.differences) return;
    const at = join(path, name.slice(0, limits.text));
    const [isOurs, isTheirs] = [Object.hasOwn(ours, name), Object.hasOwn(theirs, name)];
    const [needed, wanted] = [isRequired(here, name), isRequired(there, name)];
    if (!isTheirs) found.push(`${shown(at)} is unknown there, and ${needed ? 'required' : 'optional'} here`);
    else if (!isOurs) found.push(`${shown(at)} is ${wanted ? 'required' : 'optional'} there, and unknown here`);
    else {
      if (wanted !== needed) found.push(`${shown(at)} is ${word(wanted)} there, and ${word(needed)} here`);
      compare(at, ours[name], theirs[name], depth + 1, found);
    }
  }
}

function typeOf(schema: JsonSchema): string {
  for (const keyword of ['const', 'enum', 'type', 'anyOf', 'oneOf', 'allOf', '$ref'] as const) {
    const value = schema[keyword];
    if (value === undefined) continue;
    const text = typeof value === 'string' ? value : JSON.stringify(value);
    return keyword === 'type' ? text.slice(0, limits.text) : `${keyword} ${text}`.slice(0, limits.text);
  }
  return 'anything';
}

function fieldsOf(schema: JsonSchema): Readonly<Record<string, unknown>> {
  const { properties } = schema as { readonly properties?: unknown };
  return isRecord(properties) ? properties : {};
}

function isRequired(schema: JsonSchema, field: string): boolean {
  const { required } = schema as { readonly required?: unknown };
  return Array.isArray(required) && required.includes(field);
}

function word(required: boolean): string {
  return required ? 'required' : 'optional';
}

function join(path: string, name: string): string {
  return path === '' ? name : `${path}.${name}`;
}

function shown(path: string): string {
  return path === '' ? 'the input' : `"${path}"`;
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
