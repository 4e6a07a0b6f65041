import type { HttpHeaders } from '@flotilla/http';
import type { FieldCodes } from './field-codes.ts';

/** What a head may be at most; the limits of a listener or of a pool. */
export interface HeadLimits {
  readonly maxHeaderFields: number;
  /** Names and values of all fields, as they stand in the entry. */
  readonly maxHeaderBytes: number;
  /** Of one field. */
  readonly maxFieldBytes: number;
}

/** What is wrong with fields, in words; the caller makes an error of it that says whose they are. */
export class FieldMistake {
  readonly kind: 'malformed' | 'too-large';
  readonly what: string;

  constructor(kind: 'malformed' | 'too-large', what: string) {
    this.kind = kind;
    this.what = what;
  }
}

/**
 * The fields of a head: a line each, `code` or `name:`, then the value. What concerns a connection is left out.
 * @param headers checked: nothing in them ends a line
 */
export function writeFields(headers: HttpHeaders, { codeOf }: FieldCodes): string {
  let text = '';
  headers.forEach((name, value) => {
    const code = codeOf.get(name);
    if (code !== undefined) text += `${code}${value}\n`;
    else if (!ofConnection.has(name)) text += `${name}:${value}\n`;
  });
  return text;
}

/** Fields that were read: checked, and in order. */
export interface TextFields {
  /** name, value, name, value, …; names in lower case */
  readonly flat: string[];
  /** What `content-length` says; undefined without it. */
  readonly contentLength: number | undefined;
}

/**
 * Reads the fields of a head as strictly as the parser of HTTP/1.1 does. Besides, nothing may be in them that concerns a
 * connection or says where the message ends in another way than the frames do: who forwards the message could be led to obey it.
 * @param from where the first line begins; the last one ends with the text
 * @returns a mistake, or the fields
 */
export function readFields(
  text: string,
  from: number,
  { names }: FieldCodes,
  limits: HeadLimits,
): TextFields | FieldMistake {
  if (text.length - from > limits.maxHeaderBytes) {
    return tooLarge(`header fields over the limit of ${limits.maxHeaderBytes} bytes`);
  }
  if (!textPattern.test(text)) return malformed('control characters or characters beyond one byte in its head');
  const flat: string[] = [];
  let contentLength: number | undefined;
  for (let at = from; at < text.length; ) {
    const end = text.indexOf('\n', at);
    if (end < 0) return malformed('a head whose last line has no end');
    if (flat.length / 2 >= limits.maxHeaderFields) return tooLarge(`more than ${limits.maxHeaderFields} header fields`);
    if (end - at > limits.maxFieldBytes) return tooLarge(`a header field over ${limits.maxFieldBytes} bytes`);
    let name = names[text.charCodeAt(at)];
    let start = at + 1;
    if (name === undefined) {
      const colon = text.indexOf(':', at);
      if (colon < 0 || colon > end) return malformed('a header field without a colon');
      name = text.slice(at, colon);
      if (!namePattern.test(name)) return malformed('a header name that is not a token in lower case');
      if (ofConnection.has(name)) return malformed(`the field "${name}", which concerns one connection only`);
      start = colon + 1;
    }
    if (start < end && (isBlank(text.charCodeAt(start)) || isBlank(text.charCodeAt(end - 1)))) {
      return malformed(`blanks around the value of the field "${name}"`);
    }
    const value = text.slice(start, end);
    if (name === 'content-length') {
      if (contentLength !== undefined) return malformed('more than one content-length');
      if (!lengthPattern.test(value)) return malformed('a content-length that is not 1 to 15 digits');
      contentLength = Number(value);
    }
    flat.push(name, value);
    at = end + 1;
  }
  return { flat, contentLength };
}

/** All that may stand in a head besides the ends of its lines: RFC 9110 §5.5. */
const textPattern = /^[\n\t\x20-\x7e\x80-\xff]*$/;
const namePattern = /^[!#$%&'*+\-.^_`|~0-9a-z]{1,256}$/;
const lengthPattern = /^[0-9]{1,15}$/;

/** RFC 9110 §7.6.1, RFC 9113 §8.2.2; `host` has its own place, and the body needs no `expect`. */
const ofConnection: ReadonlySet<string> = new Set([
  'connection',
  'expect',
  'host',
  'http2-settings',
  'keep-alive',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

function isBlank(code: number): boolean {
  return code === 0x20 || code === 0x09;
}

function malformed(what: string): FieldMistake {
  return new FieldMistake('malformed', what);
}

function tooLarge(what: string): FieldMistake {
  return new FieldMistake('too-large', what);
}
