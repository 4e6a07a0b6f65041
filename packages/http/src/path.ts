import { FlotillaError } from '@flotilla/core';

/** The canonical path of a request; made by {@link parsePath} or {@link pathFromSegments}, never by hand. */
export interface RequestPath {
  /** Canonical, percent-encoded: starts with `/`. */
  readonly text: string;
  /** Decoded segments: `/a/b%20c` → `['a', 'b c']`; `/` → `[]`; a trailing slash gives a last empty segment. */
  readonly segments: readonly string[];
}

/** How a path is read. */
export interface PathOptions {
  /**
   * `%2F` inside a segment: `refuse` (default), because many backends decode it and then see another path than the one
   * that was routed; `keep` for a route whose backend is known not to.
   */
  readonly encodedSlash?: 'refuse' | 'keep';
}

/** As long as a request line may be. */
const longestPath = 8_192;

/** The path of nothing but a slash. */
export const rootPath: RequestPath = Object.freeze({ text: '/', segments: Object.freeze([]) });

/**
 * Reads the path of a request target, without query, into the one form that routing, limits, logs and forwarding share:
 *
 * 1. escapes of unreserved characters are decoded, other escapes upper-cased (RFC 3986 §6.2.2), and characters that
 *    RFC 3986 does not allow in a path but browsers send (`|`, `[`, `"`, …) are escaped;
 * 2. control bytes, backslashes, `%2F` and invalid UTF-8 are refused, written raw or as an escape;
 * 3. dot segments are removed (RFC 3986 §5.2.4); one that climbs over the root or over a repeated slash, or that
 *    hides behind parameters (`..;x`), is refused;
 * 4. repeated slashes are merged.
 *
 * Reading the result again gives the same result.
 *
 * @throws FlotillaError MALFORMED_REQUEST naming what is wrong and where, TARGET_TOO_LONG above 8,192 characters
 */
export function parsePath(raw: string, options: PathOptions = {}): RequestPath {
  if (raw.length > longestPath) {
    throw new FlotillaError('TARGET_TOO_LONG', `a path has at most ${longestPath} characters, this one ${raw.length}`);
  }
  if (raw === '/') return rootPath;
  if (plainPath.test(raw)) return { text: raw, segments: raw.slice(1).split('/') };
  if (raw[0] !== '/') throw malformed('it does not begin with "/"');
  const keepSlash = options.encodedSlash === 'keep';
  const segments = raw
    .slice(1)
    .split('/')
    .map((segment) => readSegment(segment, keepSlash));
  return fromSegments(mergeSlashes(removeDots(segments)));
}

/**
 * The path without its first `count` segments; `/` when it has no more.
 * @throws RangeError when `count` is not a whole number from 0 on
 */
export function stripSegments(path: RequestPath, count: number): RequestPath {
  if (!Number.isInteger(count) || count < 0)
    throw new RangeError(`count must be a whole number from 0 on, got ${count}`);
  if (count === 0) return path;
  const segments = path.segments.slice(count);
  if (segments.length === 0 || (segments.length === 1 && segments[0] === '')) return rootPath;
  return { text: `/${path.text.slice(1).split('/').slice(count).join('/')}`, segments };
}

/**
 * The path of a request of our own, from decoded segments. A last empty segment makes a trailing slash.
 * @throws FlotillaError INVALID_INPUT when a segment would not arrive as it is: `.`, `..`, an empty one before the
 *   end, control characters, a backslash, half of a surrogate pair
 */
export function pathFromSegments(segments: readonly string[]): RequestPath {
  let path: RequestPath | undefined;
  try {
    path = parsePath(`/${segments.map(encodeURIComponent).join('/')}`, { encodedSlash: 'keep' });
  } catch {
    // Said below, in words for somebody who has segments and no path.
  }
  if (path && arrives(segments, path)) return path;
  const detail = `these segments cannot be sent as a path: ${JSON.stringify(segments).slice(0, 200)}; a segment may not be ".", "..", empty before the end, or hold control characters or a backslash`;
  throw new FlotillaError('INVALID_INPUT', detail);
}

/**
 * The path that a person wrote: as {@link parsePath}, but letters outside ASCII and blanks need no escape.
 * @throws FlotillaError as {@link parsePath}
 */
export function pathFromText(text: string, options: PathOptions = {}): RequestPath {
  return parsePath(text.toWellFormed().replace(/[^\x21-\x7e]/gu, escapeVisible), options);
}

function arrives(segments: readonly string[], path: RequestPath): boolean {
  if (segments.length === 1 && segments[0] === '') return true; // the root
  return path.segments.length === segments.length && path.segments.every((segment, i) => segment === segments[i]);
}

/** Nothing that is escaped or has to be, no segment that begins with a dot, no empty one: already canonical. */
const plainPath = /^(?:\/[A-Za-z0-9_~\-!$&'()*+,;=:@][A-Za-z0-9_.~\-!$&'()*+,;=:@]*)+\/?$/;

const unreserved = /[A-Za-z0-9\-._~]/;
const allowedRaw = /[A-Za-z0-9\-._~!$&'()*+,;=:@]/;
const refusedRaw = /[^\x21-\x7e]|[\\#?]/;

interface Segment {
  readonly text: string;
  readonly decoded: string;
}

function readSegment(raw: string, keepSlash: boolean): Segment {
  let text = '';
  for (let at = 0; at < raw.length; at++) {
    const character = raw.charAt(at);
    if (character === '%') {
      text += readEscape(raw.slice(at, at + 3), keepSlash);
      at += 2;
    } else if (refusedRaw.test(character)) {
      throw malformed(`it holds ${nameOf(character)}, in segment ${quotedForLog(raw)}`);
    } else text += allowedRaw.test(character) ? character : escapeByte(character.charCodeAt(0));
  }
  const decoded = decode(text, raw);
  assertNoHiddenDots(decoded, raw);
  return { text, decoded };
}

function readEscape(escaped: string, keepSlash: boolean): string {
  if (!/^%[0-9A-Fa-f]{2}$/.test(escaped)) throw malformed(`${quotedForLog(escaped)} is not an escape`);
  const byte = Number.parseInt(escaped.slice(1), 16);
  if (byte < 0x20 || byte === 0x7f) throw malformed(`it holds the control byte "${escaped}"`);
  if (byte === 0x5c) throw malformed(`it holds an escaped backslash, "${escaped}"`);
  if (byte === 0x2f && !keepSlash) throw malformed(`it holds an escaped slash, "${escaped}"`);
  const character = String.fromCharCode(byte);
  return unreserved.test(character) ? character : escapeByte(byte);
}

function decode(text: string, raw: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw malformed(`its escapes are not valid UTF-8, in segment ${quotedForLog(raw)}`);
  }
}

/** A backend that cuts parameters, or decodes a kept `%2F`, would see a dot segment where we see none. */
function assertNoHiddenDots(decoded: string, raw: string): void {
  if (decoded === '.' || decoded === '..' || !decoded.includes('.')) return;
  for (const part of decoded.split('/')) {
    const [name] = part.split(';', 1);
    if (name === '.' || name === '..') throw malformed(`it hides a dot segment, in segment ${quotedForLog(raw)}`);
  }
}

function removeDots(segments: readonly Segment[]): Segment[] {
  const kept: Segment[] = [];
  for (const segment of segments) {
    if (segment.decoded !== '.' && segment.decoded !== '..') kept.push(segment);
    else if (segment.decoded === '..') climb(kept);
  }
  const last = segments.at(-1)?.decoded;
  if (last === '.' || last === '..') kept.push({ text: '', decoded: '' }); // a folder: `/a/.` is `/a/`
  return kept;
}

function climb(kept: Segment[]): void {
  const left = kept.pop();
  if (!left) throw malformed('it climbs above the root');
  // Whoever merges slashes first would leave another folder than whoever climbs first.
  if (left.decoded === '') throw malformed('it climbs over a repeated slash');
}

/** An empty segment stays only at the end, where it is the trailing slash. */
function mergeSlashes(segments: readonly Segment[]): Segment[] {
  const last = segments.length - 1;
  return segments.filter(({ decoded }, index) => decoded !== '' || index === last);
}

function fromSegments(segments: readonly Segment[]): RequestPath {
  if (segments.length === 1 && segments[0]?.decoded === '') return rootPath;
  return {
    text: `/${segments.map(({ text }) => text).join('/')}`,
    segments: segments.map(({ decoded }) => decoded),
  };
}

/** Control characters stay as they are, to be refused. */
function escapeVisible(character: string): string {
  return character < ' ' || character === '\x7f' ? character : encodeURIComponent(character);
}

function escapeByte(byte: number): string {
  return `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
}

function nameOf(character: string): string {
  if (character === '\\') return 'a backslash';
  if (character === ' ') return 'a blank';
  if (character > ' ' && character < '\x7f') return `"${character}"`;
  return character > '\x7f' ? 'a character that is not ASCII' : 'a control character';
}

function quotedForLog(raw: string): string {
  return JSON.stringify(raw.slice(0, 80));
}

function malformed(what: string): FlotillaError {
  return new FlotillaError('MALFORMED_REQUEST', `the path of the request cannot be used: ${what}`);
}
