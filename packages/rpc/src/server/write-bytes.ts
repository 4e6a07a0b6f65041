import { type Call, FlotillaError, runInCall } from '@flotilla/core';
import {
  HttpHeaders,
  type HttpRequest,
  type HttpResponse,
  isFieldValue,
  quoted,
  releaseStream,
  safeFileName,
} from '@flotilla/http';
import {
  type ByteSource,
  type BytesAnswer,
  blobStream,
  concreteTypes,
  type HttpMapping,
  isByteSource,
} from '../contract/index.ts';
import { isAccepted } from './body-type.ts';

/** How one answer of bytes is written. */
export interface BytesToWrite {
  /** `catalog.picture` */
  readonly operation: string;
  readonly mapping: HttpMapping & { readonly answer: NonNullable<HttpMapping['answer']> };
  readonly request: HttpRequest;
  readonly call: Call;
  /** The bytes failed in the middle. @returns the error that breaks the answer off */
  failed(thrown: unknown): Promise<FlotillaError>;
}

/**
 * The answer that gives bytes: their type, their length where it is known, a name to save them under. One whose `etag`
 * the caller has already (`if-none-match`) is a 304 without them. Ranges are not served: RFC 9110 §14.2 lets a server
 * ignore them.
 *
 * @throws FlotillaError INTERNAL for a type that the contract does not name, and for facts that no header can say
 */
export function writeBytes(writing: BytesToWrite, output: ByteSource | BytesAnswer): HttpResponse {
  try {
    return answerOf(writing, output);
  } catch (thrown) {
    releaseOutput(output);
    throw thrown;
  }
}

function answerOf(writing: BytesToWrite, output: ByteSource | BytesAnswer): HttpResponse {
  const { operation, mapping, request, call, failed } = writing;
  const { content, type, length, name, etag }: BytesAnswer = isByteSource(output) ? { content: output } : output;
  const chosen = typeOf(writing, type ?? blobType(content));
  const headers = new HttpHeaders([['content-type', chosen]]);
  // A browser that guessed another type would run what somebody uploaded.
  headers.set('x-content-type-options', 'nosniff');
  if (name !== undefined) headers.set('content-disposition', disposition(name));
  const tag = etag === undefined ? undefined : entityTag(operation, etag);
  if (tag !== undefined) headers.set('etag', tag);
  if (tag !== undefined && isKnown(request, tag)) {
    releaseStream(content);
    headers.delete('content-type');
    return { status: 304, headers, body: undefined };
  }
  if (content instanceof Uint8Array) return { status: mapping.status, headers, body: content };
  const known = length ?? ('size' in content && 'stream' in content ? content.size : undefined);
  if (known !== undefined) headers.set('content-length', lengthText(operation, known));
  return { status: mapping.status, headers, body: outgoing(content, call, failed) };
}

function typeOf({ operation, mapping }: BytesToWrite, given: string | undefined): string {
  const { types } = mapping.answer;
  const type = given ?? concreteTypes(types)[0] ?? 'application/octet-stream'; // the contract was checked when it was made
  if (isFieldValue(type) && isAccepted(type, types)) return type;
  throw misfit(operation, `is of type "${type.slice(0, 100)}"; its contract says ${types.join(', ')}`);
}

/** A blob without a type says nothing. */
function blobType(content: ByteSource): string | undefined {
  return 'stream' in content && 'type' in content && content.type !== '' ? content.type : undefined;
}

/** RFC 6266 §4: for all, and for those that know more than ASCII. */
function disposition(given: string): string {
  const name = safeFileName(given);
  const plain = name.replace(/[^\x20-\x7e]/g, '_').replaceAll('%', '_');
  const exact = encodeURIComponent(name).replace(/['()*]/g, (mark) => `%${mark.charCodeAt(0).toString(16)}`);
  return `attachment; filename=${quoted(plain)}${plain === name ? '' : `; filename*=UTF-8''${exact}`}`;
}

const tagPattern = /^(?:W\/)?"[\x21\x23-\x7e]{0,200}"$/;

/** RFC 9110 §8.8.3; a text without quotes is given them. */
function entityTag(operation: string, etag: string): string {
  const tag = tagPattern.test(etag) ? etag : `"${etag}"`;
  if (tagPattern.test(tag)) return tag;
  throw misfit(operation, 'has an etag that no header can say');
}

/** RFC 9110 §13.1.2: weakly compared, for reading only. */
function isKnown({ method, headers }: HttpRequest, tag: string): boolean {
  const given = headers.get('if-none-match');
  if (given === undefined || (method !== 'GET' && method !== 'HEAD')) return false;
  if (given.trim() === '*') return true;
  const opaque = (text: string): string => text.trim().replace(/^W\//, '');
  return given.split(',').some((one) => opaque(one) === opaque(tag));
}

function lengthText(operation: string, length: number): string {
  if (Number.isSafeInteger(length) && length >= 0) return String(length);
  throw misfit(operation, `has the length ${length}`);
}

/** A stream of the handler on its way out. Leaving it also ends a stream of Node that nobody has begun to read. */
function outgoing(
  content: Exclude<ByteSource, Uint8Array>,
  call: Call,
  failed: (thrown: unknown) => Promise<FlotillaError>,
): AsyncIterable<Uint8Array> {
  const source = Symbol.asyncIterator in content ? content : blobStream(content);
  return {
    [Symbol.asyncIterator]() {
      const chunks = runInCall(call, () => source[Symbol.asyncIterator]());
      return {
        async next() {
          try {
            // The handler's generator runs in whatever asks it: its call has to be given to it each time.
            return await runInCall(call, () => chunks.next());
          } catch (thrown) {
            throw await failed(thrown);
          }
        },
        async return() {
          await runInCall(call, async () => chunks.return?.());
          releaseStream(source);
          return { done: true, value: undefined };
        },
      };
    },
  };
}

/** Closes an output that will not be written: it came too late, or is not what the contract says. */
export function releaseOutput(output: unknown): void {
  if (typeof output !== 'object' || output === null) return;
  const content = isByteSource(output) ? output : (output as Partial<BytesAnswer>).content;
  if (content) releaseStream(content);
}

function misfit(operation: string, what: string): FlotillaError {
  return new FlotillaError('INTERNAL', `the output of ${operation} ${what}`);
}
