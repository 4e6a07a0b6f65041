import { FlotillaError } from '@flotilla/core';
import { findJsonMistake } from './json-mistake.ts';

/** What one document may hold; more is refused before anything is built from it. */
export const jsonLimits: Readonly<{ maxDepth: number; maxNodes: number }> = Object.freeze({
  maxDepth: 64,
  /** Opening brackets and commas, which is never less than the number of values. */
  maxNodes: 100_000,
});

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/**
 * Reads a JSON document (RFC 8259) from outside: UTF-8 without a byte order mark, within {@link jsonLimits}, and with
 * no member named `__proto__`, which would change the prototype of whatever it is copied into. Of members with one
 * name the last counts.
 *
 * @throws FlotillaError MALFORMED_REQUEST, naming the character at which reading ended, counted from 1
 */
export function parseJson(bytes: Uint8Array): unknown {
  return parseJsonText(decode(bytes));
}

/** {@link parseJson} for a document that is text already, such as an element of a stream. */
export function parseJsonText(text: string): unknown {
  if (!isPlainlyBounded(text)) assertBounded(text);
  try {
    return JSON.parse(text);
  } catch {
    throw malformed(text.trim() === '' ? 'the document is empty' : 'not JSON', findJsonMistake(text) ?? text.length);
  }
}

function decode(bytes: Uint8Array): string {
  try {
    return utf8.decode(bytes);
  } catch {
    throw new FlotillaError('MALFORMED_REQUEST', 'the JSON document is not valid UTF-8');
  }
}

/**
 * Whether it is within the limits at a glance, as nearly all documents are: too short for too many values, with fewer opening
 * brackets than levels, and without a text that could spell the forbidden name.
 */
function isPlainlyBounded(text: string): boolean {
  if (text.length >= jsonLimits.maxNodes || text.includes('\\') || text.includes('__proto__')) return false;
  return countUpTo(text, '{', jsonLimits.maxDepth) + countUpTo(text, '[', jsonLimits.maxDepth) <= jsonLimits.maxDepth;
}

/** How often `mark` is there; `most` + 1: more often. */
function countUpTo(text: string, mark: string, most: number): number {
  let count = 0;
  for (let at = text.indexOf(mark); at >= 0 && count <= most; at = text.indexOf(mark, at + 1)) count++;
  return count;
}

/** One pass that looks only at brackets, commas and names; whether the text is JSON at all is seen later. */
function assertBounded(text: string): void {
  let depth = 0;
  let nodes = 1;
  let stringAt = 0;
  for (let at = 0; at < text.length; at++) {
    const character = text.charCodeAt(at);
    if (character === quote) {
      stringAt = at;
      at = endOfString(text, at);
    } else if (character === colon) {
      if (isPrototypeName(text, stringAt)) throw malformed('a member named "__proto__" is not accepted', stringAt);
    } else if (character === openBrace || character === openBracket) {
      if (++depth > jsonLimits.maxDepth) throw malformed(`nested deeper than ${jsonLimits.maxDepth} levels`, at);
      nodes++;
    } else if (character === closeBrace || character === closeBracket) depth--;
    else if (character === comma) nodes++;
    if (nodes > jsonLimits.maxNodes) throw malformed(`more than ${jsonLimits.maxNodes} values`, at);
  }
}

const quote = 0x22;
const comma = 0x2c;
const colon = 0x3a;
const openBracket = 0x5b;
const backslash = 0x5c;
const closeBracket = 0x5d;
const underscore = 0x5f;
const openBrace = 0x7b;
const closeBrace = 0x7d;

/** Up to here a string is read character by character: a search costs more than that to begin. */
const shortString = 64;

/** The longest way to write the forbidden name: quotes, and an escape of six characters for each of its nine. */
const longestName = 2 + 6 * '__proto__'.length;

/** @returns where the closing quote is; the length of the text if there is none */
function endOfString(text: string, start: number): number {
  const shortEnd = Math.min(start + 1 + shortString, text.length);
  let at = start + 1;
  for (; at < shortEnd; at++) {
    const character = text.charCodeAt(at);
    if (character === quote) return at;
    if (character === backslash) at++;
  }
  const searchedFrom = at;
  for (at = text.indexOf('"', at); at >= 0; at = text.indexOf('"', at + 1)) {
    if (!isEscaped(text, at, searchedFrom)) return at;
  }
  return text.length;
}

/** An odd number of backslashes is before it. They are looked at once: those of the next quote are behind this one. */
function isEscaped(text: string, at: number, from: number): boolean {
  let before = at;
  while (before > from && text.charCodeAt(before - 1) === backslash) before--;
  return (at - before) % 2 === 1;
}

/** The name may be spelt with escapes: `"\u005f_proto__"`. */
function isPrototypeName(text: string, start: number): boolean {
  const first = text.charCodeAt(start + 1);
  if (first !== underscore && first !== backslash) return false;
  const name = text.slice(start, start + longestName); // no more: colons may follow a long string by the million
  try {
    return JSON.parse(name.slice(0, endOfString(name, 0) + 1)) === '__proto__';
  } catch {
    return false;
  }
}

function malformed(what: string, at: number): FlotillaError {
  return new FlotillaError('MALFORMED_REQUEST', `the JSON document cannot be read: ${what}, at character ${at + 1}`);
}
