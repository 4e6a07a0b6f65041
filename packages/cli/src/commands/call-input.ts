import { FlotillaError } from '@flotilla/core';
import { decodeLines } from '@flotilla/http';
import { inputFromTexts, type OperationDescription } from '@flotilla/rpc/contract';
import { fileAt } from '../engines/file-at.ts';

/** The longest line of an input, in bytes. */
const maxLineBytes = 1_048_576;

/**
 * What an operation is called with: fields, `--id a`; or the whole input as JSON, `'{"id":"a"}'`. Texts that begin with `@`
 * name files where the operation takes bytes.
 * @throws FlotillaError INVALID_INPUT
 */
export async function readInput(operation: OperationDescription, args: readonly string[]): Promise<unknown> {
  const [first, ...rest] = args;
  if (first !== undefined && /^[[{"]/.test(first)) {
    if (rest.length > 0) throw invalid(`"${rest[0]}" stands behind the whole input; give either JSON or fields`);
    return parseLine(first, 'the input');
  }
  const input = inputFromTexts(operation, parseFields(args));
  return withFiles(operation, input);
}

/**
 * The elements of an input, a JSON document on each line; they are read as the callee wants them.
 * @throws FlotillaError INVALID_INPUT naming the line
 */
export async function* readElements(lines: AsyncIterable<Uint8Array>): AsyncGenerator<unknown, undefined> {
  let number = 0;
  for await (const line of decodeLines(lines, { maxLineBytes })) {
    number++;
    if (line.trim() !== '') yield parseLine(line, `line ${number} of the input`);
  }
}

/** `--id a --tags x --tags=y` → `{ id: ['a'], tags: ['x', 'y'] }`; a name alone means `true`. */
export function parseFields(args: readonly string[]): Readonly<Record<string, readonly string[]>> {
  const fields: Record<string, string[]> = Object.create(null);
  for (let i = 0; i < args.length; i++) {
    const [, name, , inline] = /^--([A-Za-z_][\w-]*)(=([\s\S]*))?$/.exec(args[i] ?? '') ?? [];
    if (name === undefined) throw invalid(`"${args[i]}" is no field; fields are written --name value`);
    const next = args[i + 1];
    const spaced = inline === undefined && next !== undefined && !next.startsWith('--');
    if (spaced) i++;
    fields[name] = [...(fields[name] ?? []), inline ?? (spaced ? next : 'true')];
  }
  return fields;
}

async function withFiles({ name, http: { body } }: OperationDescription, input: unknown): Promise<unknown> {
  if (!body || !('field' in body)) return input;
  const fields = (input ?? {}) as Readonly<Record<string, unknown>>;
  const given = fields[body.field];
  if (given === undefined) {
    throw invalid(`"${name}" cannot be called like this: "${body.field}" is a file: --${body.field} @path`);
  }
  if (body.kind !== 'multipart') return { ...fields, [body.field]: await fileAt(given, body.types) };
  const field = body.fileFields[0] ?? 'file';
  const files = await Promise.all([given].flat().map(async (path) => ({ ...(await fileAt(path, body.types)), field })));
  return { ...fields, [body.field]: files };
}

function parseLine(text: string, what: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new FlotillaError('INVALID_INPUT', `${what} is no JSON: ${text.slice(0, 80)}`, { cause });
  }
}

function invalid(message: string): FlotillaError {
  return new FlotillaError('INVALID_INPUT', message);
}
