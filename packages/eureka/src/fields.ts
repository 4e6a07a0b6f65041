import { FlotillaError } from '@flotilla/core';

/** A JSON object whose members are not known yet. */
export type Fields = Readonly<Record<string, unknown>>;

/** Bodies that a Java server cannot parse either. */
export function malformed(field: string, expected: string, got: unknown): FlotillaError {
  return new FlotillaError('MALFORMED_REQUEST', `"${field}" must be ${expected}, got ${kindOf(got)}`);
}

/** @throws FlotillaError MALFORMED_REQUEST for anything but a JSON object. */
export function objectOf(value: unknown, field: string): Fields {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Fields;
  throw malformed(field, 'an object', value);
}

/** Text; numbers and booleans count as their text, null as absent (`EurekaJacksonCodec`). */
export function optionalText(fields: Fields, field: string): string | undefined {
  const value = member(fields, field);
  if (value === undefined || value === null) return undefined;
  if (typeof value === 'string') return value;
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  throw malformed(field, 'text', value);
}

/**
 * A whole number: a number or its text, fractions cut, other text counts as 0 (`EurekaJacksonCodec`).
 * @param limit numbers beyond it on either side are refused.
 */
export function optionalInteger(fields: Fields, field: string, limit: number): number | undefined {
  const value = member(fields, field);
  if (value === undefined || value === null) return undefined;
  if (typeof value !== 'number' && typeof value !== 'string') throw malformed(field, 'a number', value);
  const number = typeof value === 'number' ? value : Number(value.trim() || 'none');
  if (Number.isNaN(number)) return 0;
  if (Math.abs(number) > limit) throw malformed(field, `between -${limit} and ${limit}`, value);
  return Math.trunc(number) + 0; // + 0 turns -0 into 0
}

/** Only `true` and "true" are true (`EurekaJacksonCodec`). */
export function optionalFlag(fields: Fields, field: string): boolean | undefined {
  const value = member(fields, field);
  if (value === undefined || value === null) return undefined;
  if (typeof value === 'object') throw malformed(field, 'a boolean', value);
  return value === true || value === 'true';
}

/** Own members only: a document cannot reach what every object inherits. */
export function member(fields: Fields, field: string): unknown {
  return Object.hasOwn(fields, field) ? fields[field] : undefined;
}

/**
 * Members that are not known are passed over when they are scalar. An unknown object or list would derail a Java
 * server's parser; here it is refused.
 */
export function refuseUnknownNested(fields: Fields, where: string, known: ReadonlySet<string>): void {
  for (const field of Object.keys(fields)) {
    const value = fields[field];
    if (typeof value === 'object' && value !== null && !known.has(field)) {
      throw malformed(`${where}${field.slice(0, 80)}`, 'absent or a scalar', value);
    }
  }
}

function kindOf(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object') return 'an object';
  return `${typeof value} ${JSON.stringify(value)?.slice(0, 60)}`;
}
