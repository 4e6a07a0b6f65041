import type { StandardSchemaV1 } from '@standard-schema/spec';
import type { BlobLike, ByteSource, ByteStream, BytesToSend, Download, FilePart, FileToSend } from './byte-values.ts';
import { isMediaRange } from './media-range.ts';
import type { Report } from './report.ts';

/** How a request's body is read, when it is not JSON; or a limit of its own for JSON. Plain JSON. */
export type BodyMapping =
  | { readonly kind: 'json'; readonly maxBytes: number }
  | { readonly kind: 'form'; readonly maxBytes: number; readonly maxFields: number }
  | MultipartMapping
  | BytesMapping
  | ElementsMapping;

/** The elements of `upload` and `duplex`: one JSON document per line, each of as many bytes as the server takes of a body. */
export interface ElementsMapping {
  readonly kind: 'elements';
}

/** How bytes are read. */
export interface BytesMapping {
  /** All of them in memory, or as they come. */
  readonly kind: 'bytes' | 'byteStream';
  /** The input field that they become. */
  readonly field: string;
  readonly maxBytes: number;
  /** Media types that are taken: `image/png`, `image/*`. */
  readonly types: readonly string[];
}

/** How a form with files is read. */
export interface MultipartMapping {
  readonly kind: 'multipart';
  /** The input field that the files become. */
  readonly field: string;
  readonly maxBytes: number;
  readonly maxFields: number;
  readonly maxFieldBytes: number;
  readonly minFiles: number;
  readonly maxFiles: number;
  readonly maxFileBytes: number;
  readonly maxPartHeaderBytes: number;
  /** Media types of files that are taken. */
  readonly types: readonly string[];
  /** Form fields that may hold files; empty: any. */
  readonly fileFields: readonly string[];
}

/**
 * A body that is not the plain JSON of every operation, for `post('/x', { body: … })`.
 * The types say what it adds to the input: what a client may give, and what a handler gets.
 */
export interface RequestBody<In = unknown, Parsed = unknown> {
  readonly mapping: BodyMapping;
  /** Never set: carries the types. */
  readonly '~adds'?: { readonly in: In; readonly parsed: Parsed };
}

/** JSON with a limit of its own. */
export interface JsonOptions {
  /** Of the body, in bytes. */
  readonly maxBytes: number;
}

export interface FormOptions {
  /** Of the body. Default 1,048,576. */
  readonly maxBytes?: number;
  /** Values, those of one name counted apart. Default 1,000. */
  readonly maxFields?: number;
}

export interface MultipartOptions<Field extends string> {
  /** The input field that holds the files. Default `files`. */
  readonly field?: Field;
  /** Of the whole body. Default 10,485,760. */
  readonly maxBytes?: number;
  /** Values that are no files. Default 100. */
  readonly maxFields?: number;
  /** Of one of them. Default 65,536. */
  readonly maxFieldBytes?: number;
  /** Default 0. */
  readonly minFiles?: number;
  /** Default 10. */
  readonly maxFiles?: number;
  /** Of one file. Default: of the whole body. */
  readonly maxFileBytes?: number;
  /** Of the head of one field or file. Default 4,096. */
  readonly maxPartHeaderBytes?: number;
  /** Media types of files: `image/png`, `image/*`. They are what senders claim. Default: any. */
  readonly type?: string | readonly string[];
  /** Form fields that may hold files. Default: any. */
  readonly fileFields?: readonly string[];
}

export interface BytesOptions<Field extends string> {
  /** Media types: `image/png`, `image/*`. An answer has the first one unless it says another. Default `application/octet-stream`. */
  readonly type?: string | readonly string[];
  /** Of a request. Default 1,048,576 for `bytes`, 10,485,760 for `byteStream`. */
  readonly maxBytes?: number;
  /** The input field that they become. Default `body`. */
  readonly field?: Field;
}

/** `bytes()` and `byteStream()`: a body of a request, or the output of an operation. */
export interface BytesBody<In, Parsed, Out> extends RequestBody<In, Parsed>, StandardSchemaV1<Out, Out> {
  readonly mapping: BytesMapping;
}

export const bodyDefaults: Readonly<{
  maxBytes: number;
  maxStreamBytes: number;
  maxFormFields: number;
  maxFields: number;
  maxFieldBytes: number;
  maxFiles: number;
  maxPartHeaderBytes: number;
}> = Object.freeze({
  maxBytes: 1_048_576, // held in memory
  maxStreamBytes: 10_485_760, // what a listener takes by default
  maxFormFields: 1_000,
  maxFields: 100,
  maxFieldBytes: 65_536,
  maxFiles: 10,
  maxPartHeaderBytes: 4_096,
});

/** JSON, as without it, but with a limit of its own: `post('/catalogs', { body: json({ maxBytes: 20_000_000 }) })`. */
export function json({ maxBytes }: JsonOptions): RequestBody {
  return body({ kind: 'json', maxBytes });
}

/**
 * The input comes as `application/x-www-form-urlencoded`, each field coerced as one of a query: `post('/login', { body: form() })`.
 */
export function form({ maxBytes, maxFields }: FormOptions = {}): RequestBody {
  return body({
    kind: 'form',
    maxBytes: maxBytes ?? bodyDefaults.maxBytes,
    maxFields: maxFields ?? bodyDefaults.maxFormFields,
  });
}

/**
 * The input comes as `multipart/form-data`: fields, coerced as those of a form, and then files, as streams in the input
 * field `files`. Fields have to stand before files, so that a handler begins with an input that is checked and no file
 * has to be kept anywhere.
 *
 * ```ts
 * post('/albums/{id}', { body: multipart({ type: 'image/*', maxFileBytes: 5_000_000 }) })
 * // handler: for await (const { name, content } of files) for await (const chunk of content) …
 * ```
 */
export function multipart<const Field extends string = 'files'>(
  options: MultipartOptions<Field> = {},
): RequestBody<
  { readonly [Name in Field]: readonly FileToSend[] },
  { readonly [Name in Field]: AsyncIterable<FilePart> }
> {
  const maxBytes = options.maxBytes ?? bodyDefaults.maxStreamBytes;
  return body({
    kind: 'multipart',
    field: options.field ?? 'files',
    maxBytes,
    maxFields: options.maxFields ?? bodyDefaults.maxFields,
    maxFieldBytes: options.maxFieldBytes ?? bodyDefaults.maxFieldBytes,
    minFiles: options.minFiles ?? 0,
    maxFiles: options.maxFiles ?? bodyDefaults.maxFiles,
    maxFileBytes: options.maxFileBytes ?? maxBytes,
    maxPartHeaderBytes: options.maxPartHeaderBytes ?? bodyDefaults.maxPartHeaderBytes,
    types: typesOf(options.type, '*/*'),
    fileFields: options.fileFields ?? [],
  });
}

/**
 * Bytes, whole in memory. As a body they are the input field `body`: `put('/pictures/{id}', { body: bytes({ type: 'image/png' }) })`;
 * as output they are the answer: `out: bytes({ type: 'image/png' })`.
 */
export function bytes<const Field extends string = 'body'>(
  options: BytesOptions<Field> = {},
): BytesBody<
  { readonly [Name in Field]: ByteSource | BytesToSend },
  { readonly [Name in Field]: Uint8Array },
  Uint8Array
> {
  return bytesBody('bytes', options, bodyDefaults.maxBytes);
}

/** {@link bytes} as they come: a handler gets a {@link ByteStream}, a client a {@link Download}. */
export function byteStream<const Field extends string = 'body'>(
  options: BytesOptions<Field> = {},
): BytesBody<
  { readonly [Name in Field]: ByteSource | BytesToSend },
  { readonly [Name in Field]: ByteStream },
  Download
> {
  return bytesBody('byteStream', options, bodyDefaults.maxStreamBytes);
}

/** Is this schema one of {@link bytes} or {@link byteStream}? */
export function bytesMappingOf(schema: unknown): BytesMapping | undefined {
  return bytesBodies.get(schema as object);
}

/** Says what of a body cannot be used. */
export function checkBody(mapping: BodyMapping, report: Report): void {
  for (const [option, value] of Object.entries(mapping)) {
    const least = option === 'minFiles' || option === 'maxFields' ? 0 : 1;
    if (typeof value === 'number' && !(Number.isSafeInteger(value) && value >= least)) {
      report(`${mapping.kind}(): ${option} must be a whole number from ${least} on, got ${value}`);
    }
  }
  if (mapping.kind === 'multipart' && mapping.minFiles > mapping.maxFiles) {
    report(`multipart(): minFiles ${mapping.minFiles} is more than maxFiles ${mapping.maxFiles}`);
  }
  if (!('types' in mapping)) return;
  if (mapping.types.length === 0) report(`${mapping.kind}(): type names no media type`);
  for (const type of mapping.types) {
    if (!isMediaRange(type)) report(`${mapping.kind}(): "${type}" is no media type`);
  }
}

// Known by identity: a validator's schema may have members of any name.
const bytesBodies = new WeakMap<object, BytesMapping>();

function body<In, Parsed>(mapping: BodyMapping): RequestBody<In, Parsed> {
  return Object.freeze({ mapping: Object.freeze(mapping) });
}

function bytesBody<In, Parsed, Out>(
  kind: BytesMapping['kind'],
  { type, maxBytes, field }: BytesOptions<string>,
  defaultMaxBytes: number,
): BytesBody<In, Parsed, Out> {
  const mapping = Object.freeze({
    kind,
    field: field ?? 'body',
    maxBytes: maxBytes ?? defaultMaxBytes,
    types: typesOf(type, 'application/octet-stream'),
  });
  const made: BytesBody<In, Parsed, Out> = Object.freeze({
    mapping,
    '~standard': {
      version: 1,
      vendor: 'flotilla',
      validate: (value: unknown) => (isBytes(value) ? { value: value as Out } : { issues: [{ message: notBytes }] }),
    } as const,
  });
  bytesBodies.set(made, mapping);
  return made;
}

const notBytes = 'expected bytes: a Uint8Array, a Blob, a stream of Uint8Array, or { content } of one of them';

function isBytes(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return isByteSource(value) || ('content' in value && isByteSource(value.content));
}

/** Is it bytes, a blob or a stream? */
export function isByteSource(value: unknown): value is ByteSource {
  if (typeof value !== 'object' || value === null) return false;
  return value instanceof Uint8Array || Symbol.asyncIterator in value || ('stream' in value && 'size' in value);
}

/** A blob's bytes. In Node and in browsers its stream can be read in a loop. */
export function blobStream(blob: BlobLike): AsyncIterable<Uint8Array> {
  return blob.stream() as AsyncIterable<Uint8Array>;
}

function typesOf(type: string | readonly string[] | undefined, otherwise: string): readonly string[] {
  return Object.freeze(type === undefined ? [otherwise] : typeof type === 'string' ? [type] : [...type]);
}
