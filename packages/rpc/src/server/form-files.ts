import { type Call, FlotillaError } from '@flotilla/core';
import { limitBody, type MultipartReader, type Part, safeFileName } from '@flotilla/http';
import type { FilePart, MultipartMapping } from '../contract/index.ts';
import { isAccepted, unsupportedType } from './body-type.ts';
import { invalidInput } from './validate.ts';

/** A form whose fields are read; its files are still to come. */
export interface FormFiles {
  /** `catalog.product` */
  readonly operation: string;
  readonly mapping: MultipartMapping;
  readonly reader: MultipartReader;
  /** The first file; undefined for a form without files. */
  readonly first: Part | undefined;
  readonly call: Call;
}

/**
 * The files of a form, one after the other, as their reader asks for them. The first one is checked before this
 * resolves, so that most mistakes are answered without running a handler.
 *
 * @throws FlotillaError INVALID_INPUT, UNSUPPORTED_MEDIA_TYPE, BODY_TOO_LARGE, MALFORMED_REQUEST; the files reject with
 * the same later, and so do their contents
 */
export async function openFiles(form: FormFiles): Promise<AsyncIterable<FilePart>> {
  const files = readFiles(form);
  const first = await files.next();
  return resumed(first, files);
}

async function* resumed(
  first: IteratorResult<FilePart, undefined>,
  rest: AsyncGenerator<FilePart, undefined>,
): AsyncGenerator<FilePart, undefined> {
  if (first.done) return;
  yield first.value;
  yield* rest;
}

async function* readFiles(form: FormFiles): AsyncGenerator<FilePart, undefined> {
  const { operation, mapping, reader, first } = form;
  const { minFiles, maxFiles } = mapping;
  let files = 0;
  for (let part = first; part; part = await reader.next()) {
    if (part.rawFileName === undefined) throw lateField(operation, part.name);
    const content = part.rawFileName === '' ? await unlessEmpty(part.content) : part.content;
    if (!content) continue; // a browser's file input in which no file was chosen
    if (++files > maxFiles) throw tooMany(maxFiles);
    yield fileOf(form, part, content);
  }
  if (files < minFiles) {
    const message = `at least ${minFiles} ${minFiles === 1 ? 'file is' : 'files are'} needed, got ${files}`;
    throw invalidInput(operation, [{ path: [mapping.field], message }]);
  }
}

function fileOf({ operation, mapping, call }: FormFiles, part: Part, content: AsyncIterable<Uint8Array>): FilePart {
  const { fileFields, types, maxFileBytes } = mapping;
  const { name: field, rawFileName = '', type = 'application/octet-stream' } = part;
  if (fileFields.length > 0 && !fileFields.includes(field)) {
    const message = `no file belongs here; files belong in ${fileFields.join(', ')}`;
    throw invalidInput(operation, [{ path: [field.slice(0, 100)], message }]);
  }
  if (!isAccepted(type, types)) {
    throw unsupportedType(type, { operation: `field "${field.slice(0, 100)}" of ${operation}`, accepted: types });
  }
  const name = safeFileName(rawFileName);
  const over = (): FlotillaError =>
    new FlotillaError('BODY_TOO_LARGE', `the file "${name}" is larger than the limit of ${maxFileBytes} bytes`, {
      data: { maxFileBytes, field },
    });
  return { field, name, type, content: limitBody(content, { maxBytes: maxFileBytes, over, call }) };
}

/** @returns undefined when there is no byte. */
async function unlessEmpty(content: AsyncIterable<Uint8Array>): Promise<AsyncIterable<Uint8Array> | undefined> {
  const chunks = content[Symbol.asyncIterator]();
  const first = await chunks.next();
  if (first.done) return undefined;
  return (async function* () {
    yield first.value;
    for (let next = await chunks.next(); !next.done; next = await chunks.next()) yield next.value;
  })();
}

function lateField(operation: string, name: string): FlotillaError {
  const message = 'stands behind a file: send fields first, then files';
  return invalidInput(operation, [{ path: [name.slice(0, 100)], message }]);
}

function tooMany(maxFiles: number): FlotillaError {
  return new FlotillaError('BODY_TOO_LARGE', `the form has more than the limit of ${maxFiles} files`, {
    data: { maxFiles },
  });
}
