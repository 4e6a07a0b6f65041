import { isRepeatable } from './body.ts';
import type { HttpBody } from './exchange.ts';

/** One field or file of a form that is to be sent. */
export interface PartToSend {
  readonly name: string;
  /** Makes it a file. */
  readonly fileName?: string;
  /** Of a file. Default `application/octet-stream`. */
  readonly type?: string;
  readonly content: Exclude<HttpBody, undefined>;
  /** Of a content that is a stream, in bytes, where it is known. */
  readonly length?: number;
}

/** A body of `multipart/form-data`, and how to declare it. */
export interface MultipartToSend {
  readonly contentType: string;
  /** Undefined: a content's is not known, so the body goes in chunks. */
  readonly length: number | undefined;
  readonly body: AsyncIterable<Uint8Array> & { readonly repeatable: boolean };
}

/**
 * Joins parts to one body (RFC 7578, escaped as browsers do). Contents are read when the body is, one after the other.
 * @param boundary up to 70 letters and digits, which no content may hold after a line end
 */
export function multipartBody(parts: readonly PartToSend[], boundary: string): MultipartToSend {
  const heads = parts.map((part, index) => utf8.encode(`${index === 0 ? '' : '\r\n'}--${boundary}\r\n${headOf(part)}`));
  const last = utf8.encode(`${parts.length === 0 ? '' : '\r\n'}--${boundary}--\r\n`);
  return {
    contentType: `multipart/form-data; boundary=${boundary}`,
    length: sum([...heads.map((head) => head.byteLength), ...parts.map(lengthOf), last.byteLength]),
    body: {
      repeatable: parts.every(({ content }) => isRepeatable(content)),
      async *[Symbol.asyncIterator]() {
        for (const [index, { content }] of parts.entries()) {
          yield heads[index] as Uint8Array;
          if (!(content instanceof Uint8Array)) yield* content;
          else if (content.byteLength > 0) yield content;
        }
        yield last;
      },
    },
  };
}

const utf8 = new TextEncoder();

function headOf({ name, fileName, type }: PartToSend): string {
  const disposition = `content-disposition: form-data; name="${escaped(name)}"`;
  if (fileName === undefined) return `${disposition}\r\n\r\n`;
  return `${disposition}; filename="${escaped(fileName)}"\r\ncontent-type: ${type ?? 'application/octet-stream'}\r\n\r\n`;
}

/** HTML Standard, "multipart/form-data encoding algorithm". */
function escaped(text: string): string {
  return text
    .toWellFormed()
    .replace(/\r\n?|\n/g, '%0D%0A')
    .replaceAll('"', '%22');
}

function lengthOf({ content, length }: PartToSend): number | undefined {
  return content instanceof Uint8Array ? content.byteLength : length;
}

function sum(lengths: readonly (number | undefined)[]): number | undefined {
  return lengths.reduce((all, length) => (all === undefined || length === undefined ? undefined : all + length), 0);
}
