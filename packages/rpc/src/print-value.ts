/**
 * A value as text, the same for equal values whatever the order of their members: what tells two inputs apart. JSON, and
 * what schemas make of it: dates, big integers, maps and sets.
 * @returns undefined for what holds bytes, streams or functions: it cannot be told apart by a text
 */
export function printValue(value: unknown): string | undefined {
  try {
    return print(value);
  } catch (thrown) {
    if (thrown === unprintable) return undefined;
    throw thrown;
  }
}

const unprintable = new Error('no text tells it apart');

function print(value: unknown): string {
  switch (typeof value) {
    case 'string':
      return JSON.stringify(value);
    case 'bigint':
      return `${value}n`;
    case 'function':
    case 'symbol':
      throw unprintable;
    case 'object':
      return value === null ? 'null' : printObject(value);
    default:
      return Object.is(value, -0) ? '0' : String(value);
  }
}

function printObject(value: object): string {
  if (Array.isArray(value)) return `[${value.map(print).join(',')}]`;
  if (value instanceof Map) return `Map${print([...value])}`;
  if (value instanceof Set) return `Set${print([...value])}`;
  if (value instanceof Date) return `Date(${value.getTime()})`;
  if ('toJSON' in value && typeof value.toJSON === 'function') return print(value.toJSON());
  if (ArrayBuffer.isView(value) || value instanceof ArrayBuffer || value instanceof Blob) throw unprintable;
  if (Symbol.asyncIterator in value || value instanceof ReadableStream) throw unprintable;
  const members: string[] = [];
  for (const name of Object.keys(value).sort()) {
    const member = (value as Record<string, unknown>)[name];
    if (member !== undefined) members.push(`${JSON.stringify(name)}:${print(member)}`);
  }
  return `{${members.join(',')}}`;
}
