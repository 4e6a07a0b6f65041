import { FlotillaError } from '@flotilla/core';
import { isFieldName } from './field-grammar.ts';
import { parseMediaType } from './media-type.ts';

/** What the head of one part of `multipart/form-data` says (RFC 7578 §4.2). */
export interface PartHead {
  readonly name: string;
  /** As the sender gave it; undefined for a field. Empty: a browser's file input without a file. */
  readonly rawFileName: string | undefined;
  /** As the sender claims it, well formed; undefined when it does not say. */
  readonly type: string | undefined;
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/**
 * Reads the header lines of a part. Strict where senders could mean two things: a header or a parameter given twice, a
 * folded line, control characters, a content coding.
 * @throws FlotillaError MALFORMED_REQUEST saying what is wrong; BODY_TOO_LARGE for too many lines
 */
export function parsePartHead(bytes: Uint8Array, maxLines: number): PartHead {
  const lines = decode(bytes).split('\r\n');
  if (lines.length > maxLines) {
    throw new FlotillaError('BODY_TOO_LARGE', `a part has more than the limit of ${maxLines} header lines`, {
      data: { maxPartHeaderLines: maxLines },
    });
  }
  const headers = new Map<string, string>();
  for (const line of lines) readLine(line, headers);
  const encoding = headers.get('content-transfer-encoding')?.toLowerCase();
  if (encoding !== undefined && !plainEncodings.has(encoding)) {
    throw malformedPart(`the transfer encoding "${encoding.slice(0, 50)}", which is not read (RFC 7578 §4.7)`);
  }
  const type = headers.get('content-type');
  if (type !== undefined && !parseMediaType(type)) throw malformedPart(`no media type: "${type.slice(0, 100)}"`);
  return { ...readDisposition(headers.get('content-disposition')), type };
}

/** A part of a multipart body that cannot be read: "a part has …". */
export function malformedPart(what: string): FlotillaError {
  return new FlotillaError('MALFORMED_REQUEST', `the multipart body cannot be read: a part has ${what}`);
}

const plainEncodings: ReadonlySet<string> = new Set(['7bit', '8bit', 'binary']);

// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what this refuses
const controlPattern = /[\u0000-\u0008\u000a-\u001f\u007f]/;

function decode(bytes: Uint8Array): string {
  try {
    return utf8.decode(bytes);
  } catch {
    throw malformedPart('a head that is not valid UTF-8');
  }
}

function readLine(line: string, headers: Map<string, string>): void {
  if (controlPattern.test(line)) throw malformedPart('a control character in its head');
  const colon = line.indexOf(':');
  const name = line.slice(0, Math.max(0, colon)).toLowerCase();
  if (!isFieldName(name)) throw malformedPart(`a line that is no header: ${JSON.stringify(line.slice(0, 80))}`);
  if (headers.has(name)) throw malformedPart(`the header "${name}" twice`);
  headers.set(name, line.slice(colon + 1).trim());
}

function readDisposition(value: string | undefined): Pick<PartHead, 'name' | 'rawFileName'> {
  if (value === undefined) throw malformedPart('no content-disposition');
  const [, kind = '', rest = ''] = /^([^;]{0,100})(;.*)?$/.exec(value) ?? [];
  if (kind.trim().toLowerCase() !== 'form-data') throw malformedPart('a content-disposition that is not form-data');
  const parameters = readParameters(rest);
  const name = parameters.get('name');
  if (name === undefined) throw malformedPart('no name');
  const rawFileName = parameters.get('filename');
  if (rawFileName === undefined && parameters.has('filename*')) {
    throw malformedPart('a file name only as "filename*", which forms may not use (RFC 7578 §4.2)');
  }
  return { name, rawFileName };
}

const parameterPattern = /;[\t ]*([!#$%&'*+\-.^_`|~0-9A-Za-z]{1,50})=(?:"((?:[^"\\]|\\.)*)"|([^\s;"]{1,1000}))[\t ]*/y;

function readParameters(text: string): Map<string, string> {
  const parameters = new Map<string, string>();
  parameterPattern.lastIndex = 0;
  for (let at = 0; at < text.length; at = parameterPattern.lastIndex) {
    const match = parameterPattern.exec(text);
    const name = match?.[1]?.toLowerCase();
    if (!match || name === undefined) throw malformedPart('a content-disposition that cannot be read');
    if (parameters.has(name)) throw malformedPart(`the parameter "${name}" twice`);
    parameters.set(name, match[2] === undefined ? (match[3] ?? '') : unescaped(match[2]));
  }
  return parameters;
}

/**
 * Three ways of saying a quote are in use: `%22` (browsers, with `%0D` and `%0A`), `\"` (older programs), and backslashes
 * that are nothing but themselves (paths of Windows).
 */
function unescaped(text: string): string {
  return text
    .replace(/\\(["\\])/g, '$1')
    .replace(/%22|%0d|%0a/gi, (code) => String.fromCharCode(Number.parseInt(code.slice(1), 16)));
}
