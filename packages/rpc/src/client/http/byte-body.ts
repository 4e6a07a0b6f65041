import { FlotillaError } from '@flotilla/core';
import {
  type HttpBody,
  type MultipartToSend,
  multipartBody,
  type PartToSend,
  parseMediaType,
  releaseStream,
} from '@flotilla/http';
import {
  type BlobLike,
  type BytesMapping,
  type BytesToSend,
  blobStream,
  concreteTypes,
  type FileToSend,
  type HttpMapping,
  isByteSource,
  type MultipartMapping,
} from '../../contract/index.ts';

/** A body that is no JSON, and what its head says of it. */
export interface ByteBody {
  readonly type: string;
  /** Of a stream, where it is known. */
  readonly length: number | undefined;
  readonly body: Exclude<HttpBody, undefined>;
}

/**
 * The body that says bytes. Bytes and blobs can be sent again, by a retry; a stream only once.
 * @throws FlotillaError INVALID_INPUT
 */
export function bytesBody(given: unknown, { field, types }: BytesMapping): ByteBody {
  const { content, type, length } = toSend(given, field);
  const chosen = type ?? blobOf(content)?.type;
  return {
    type: checkedType(chosen || defaultType(types, field), field),
    length: length ?? blobOf(content)?.size,
    body: bodyOf(content),
  };
}

/**
 * The body that says a form with files: fields first.
 * @throws FlotillaError INVALID_INPUT
 */
export function multipartOf(
  fields: readonly (readonly [name: string, text: string])[],
  given: unknown,
  { field }: MultipartMapping,
  boundary: string,
): ByteBody {
  if (!Array.isArray(given)) throw wrong(field, 'must be a list of files');
  const parts: PartToSend[] = fields.map(([name, text]) => ({ name, content: utf8.encode(text) }));
  for (const [index, file] of given.entries()) parts.push(filePart(file, `${field}.${index}`));
  const { contentType, length, body }: MultipartToSend = multipartBody(parts, boundary);
  return { type: contentType, length, body };
}

/** A call is over: streams of its input that nobody has read to their ends are closed, as those are that were read. */
export function releaseInput({ body }: HttpMapping, input: unknown): void {
  if (!body || !('field' in body) || typeof input !== 'object' || input === null) return;
  const carried = (input as Readonly<Record<string, unknown>>)[body.field];
  for (const given of Array.isArray(carried) ? carried : [carried]) {
    if (typeof given !== 'object' || given === null) continue;
    releaseStream(isByteSource(given) || !('content' in given) ? given : (given.content as object));
  }
}

const utf8 = new TextEncoder();

function filePart(given: unknown, where: string): PartToSend {
  const { content, type, length, field = 'file', name } = toSend(given, where) as FileToSend;
  const blob = blobOf(content);
  const size = length ?? blob?.size;
  return {
    name: field,
    fileName: name ?? blob?.name ?? 'file',
    type: checkedType(type ?? (blob?.type || 'application/octet-stream'), where),
    content: bodyOf(content),
    ...(size === undefined ? undefined : { length: size }),
  };
}

function toSend(given: unknown, field: string): BytesToSend {
  if (isByteSource(given)) return { content: given };
  const content = typeof given === 'object' && given !== null && 'content' in given ? given.content : undefined;
  if (isByteSource(content)) return given as BytesToSend;
  throw wrong(field, 'must be bytes: a Uint8Array, a Blob, a stream of Uint8Array, or { content } of one of them');
}

function blobOf(content: BytesToSend['content']): BlobLike | undefined {
  return content instanceof Uint8Array || Symbol.asyncIterator in content ? undefined : content;
}

function bodyOf(content: BytesToSend['content']): Exclude<HttpBody, undefined> {
  const blob = blobOf(content);
  if (!blob) return content as Exclude<HttpBody, undefined>;
  const repeatable = { repeatable: true, [Symbol.asyncIterator]: () => blobStream(blob)[Symbol.asyncIterator]() };
  return repeatable;
}

function defaultType(types: readonly string[], field: string): string {
  const type = concreteTypes(types)[0] ?? (types.includes('*/*') ? 'application/octet-stream' : undefined);
  if (type !== undefined) return type;
  throw wrong(field, `needs a type, as in { content, type }: ${types.join(', ')}`);
}

function checkedType(type: string, field: string): string {
  if (parseMediaType(type)) return type;
  throw wrong(field, `has the type "${type.slice(0, 100)}", which is no media type`);
}

function wrong(field: string, what: string): FlotillaError {
  return new FlotillaError('INVALID_INPUT', `"${field}" ${what}`);
}
