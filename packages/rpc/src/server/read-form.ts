import { type Call, FlotillaError } from '@flotilla/core';
import {
  bodyStream,
  boundaryOf,
  formMediaType,
  type HttpRequest,
  limitBody,
  MultipartReader,
  multipartMediaType,
  type Part,
  parseForm,
  readBody,
  tooManyFields,
} from '@flotilla/http';
import type { BodyMapping, FilePart, MultipartMapping } from '../contract/index.ts';
import { checkBodyHead } from './body-type.ts';
import { openFiles } from './form-files.ts';

/** Texts by the names of their fields, in order. */
export type FieldTexts = ReadonlyMap<string, readonly string[]>;

/** A form: its fields, and the files that are still to come. */
export interface ReadForm {
  readonly texts: FieldTexts;
  /** Absent for a form that can have none. */
  readonly files?: AsyncIterable<FilePart>;
  /** For a form that was read only as far as a file: a field that is missed may stand behind it. */
  readonly hint?: { readonly hint: string };
}

/**
 * Reads a form of either kind: whole, or as far as its first file.
 * @throws FlotillaError UNSUPPORTED_MEDIA_TYPE, BODY_TOO_LARGE, MALFORMED_REQUEST, INVALID_INPUT
 */
export function readForm(
  operation: string,
  mapping: BodyMapping & { readonly kind: 'form' | 'multipart' },
  request: HttpRequest,
  call: Call,
): Promise<ReadForm> {
  return mapping.kind === 'form'
    ? readFields(operation, mapping, request, call)
    : readMultipart(operation, mapping, request, call);
}

/** One text more for a field. */
export function addText(texts: Map<string, string[]>, name: string, text: string): void {
  const known = texts.get(name);
  if (known) known.push(text);
  else texts.set(name, [text]);
}

async function readFields(
  operation: string,
  { maxBytes, maxFields }: BodyMapping & { readonly kind: 'form' },
  request: HttpRequest,
  call: Call,
): Promise<ReadForm> {
  const type = checkBodyHead(request, { operation, accepted: [formMediaType], maxBytes });
  if (type !== undefined && /charset/i.test(type) && !/charset="?utf-8"?\s*(?:;|$)/i.test(type)) {
    throw new FlotillaError('UNSUPPORTED_MEDIA_TYPE', `${operation} takes forms in UTF-8, got "${type.slice(0, 100)}"`);
  }
  const texts = new Map<string, string[]>();
  for (const [name, text] of parseForm(await readBody(request.body, maxBytes, call), maxFields)) {
    addText(texts, name, text);
  }
  return { texts };
}

const maxPartHeaderLines = 16;

async function readMultipart(
  operation: string,
  mapping: MultipartMapping,
  request: HttpRequest,
  call: Call,
): Promise<ReadForm> {
  const { maxBytes, maxFields, maxFieldBytes, maxFiles, maxPartHeaderBytes } = mapping;
  const type = checkBodyHead(request, { operation, accepted: [multipartMediaType], maxBytes });
  if (type === undefined) throw new FlotillaError('MALFORMED_REQUEST', `${operation} takes a form, got no body`);
  // One more of each, so that the limit that was broken is the one that is named.
  const limits = { maxBytes, maxParts: maxFields + maxFiles + 1, maxPartHeaderBytes, maxPartHeaderLines };
  const reader = new MultipartReader(bodyStream(request.body), boundaryOf(type), limits, call);
  const texts = new Map<string, string[]>();
  let fields = 0;
  let part = await reader.next();
  for (; part && part.rawFileName === undefined; part = await reader.next()) {
    if (++fields > maxFields) throw tooManyFields(maxFields);
    addText(texts, part.name, await textOf(operation, part, maxFieldBytes, call));
  }
  const files = await openFiles({ operation, mapping, reader, first: part, call });
  return { texts, files, ...(part && { hint: { hint: 'fields behind a file are not read: send fields first' } }) };
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

async function textOf(operation: string, part: Part, maxFieldBytes: number, call: Call): Promise<string> {
  const { name, type = 'text/plain', content } = part;
  const shown = name.slice(0, 100);
  if (/charset/i.test(type) && !/charset="?(?:utf-8|us-ascii)"?\s*(?:;|$)/i.test(type)) {
    throw new FlotillaError(
      'UNSUPPORTED_MEDIA_TYPE',
      `field "${shown}" of ${operation} has to be UTF-8, got "${type}"`,
    );
  }
  const over = (): FlotillaError =>
    new FlotillaError('BODY_TOO_LARGE', `field "${shown}" is larger than the limit of ${maxFieldBytes} bytes`, {
      data: { maxFieldBytes, field: shown },
    });
  const bytes = await readBody(limitBody(content, { maxBytes: maxFieldBytes, over, call }), Infinity, call);
  try {
    return utf8.decode(bytes);
  } catch {
    throw new FlotillaError('MALFORMED_REQUEST', `field "${shown}" of the form is not valid UTF-8`);
  }
}
