import { nearest } from '@flotilla/core';
import { documentLimits } from '../route-document.ts';
import type { DocumentPath, Mistakes } from './mistakes.ts';

/**
 * One value of a document together with its place. Each reading method gives the value in the wanted shape, or
 * undefined after noting a mistake, so that reading goes on and finds the next one.
 */
export class Value {
  readonly raw: unknown;
  readonly path: DocumentPath;
  readonly #mistakes: Mistakes;

  constructor(raw: unknown, path: DocumentPath, mistakes: Mistakes) {
    this.raw = raw;
    this.path = path;
    this.#mistakes = mistakes;
  }

  /** Notes what is wrong here. */
  mistake(text: string): undefined {
    this.#mistakes.add(this.path, text);
    return undefined;
  }

  /** The value under a key or index, which need not exist. */
  at(key: string | number, raw: unknown): Value {
    return new Value(raw, [...this.path, key], this.#mistakes);
  }

  /** The members of a mapping whose keys are fixed. Another key is a mistake that names the nearest right one. */
  members<Key extends string>(known: readonly Key[]): ReadonlyMap<Key, Value> | undefined {
    const entries = this.entries();
    if (!entries) return undefined;
    const members = new Map<Key, Value>();
    for (const [key, value] of entries) {
      if (isOneOf(key, known)) members.set(key, value);
      else value.mistake(`"${shown(key)}" is not known here${suggestion(key, known)}`);
    }
    return members;
  }

  /** The members of a mapping whose keys are free. */
  entries(): readonly (readonly [string, Value])[] | undefined {
    if (!isMapping(this.raw)) return this.mistake(`must be a mapping, got ${kindOf(this.raw)}`);
    return Object.entries(this.raw).map(([key, raw]) => [key, this.at(key, raw)] as const);
  }

  list(maxItems: number = documentLimits.maxListItems): readonly Value[] | undefined {
    if (!Array.isArray(this.raw)) return this.mistake(`must be a list, got ${kindOf(this.raw)}`);
    if (this.raw.length > maxItems) return this.mistake(`has ${this.raw.length} items, the limit is ${maxItems}`);
    return this.raw.map((raw: unknown, index) => this.at(index, raw));
  }

  /** A list of texts, or one text alone. */
  texts(): readonly (readonly [string, Value])[] | undefined {
    const items = typeof this.raw === 'string' ? [this] : this.list();
    return items?.flatMap((item) => {
      const text = item.text();
      return text === undefined ? [] : [[text, item] as const];
    });
  }

  text(): string | undefined {
    if (typeof this.raw === 'number' || typeof this.raw === 'boolean') {
      return this.mistake(`must be text, got ${kindOf(this.raw)}; in YAML write "${this.raw}" with quotes`);
    }
    if (typeof this.raw !== 'string') return this.mistake(`must be text, got ${kindOf(this.raw)}`);
    if (this.raw.length > documentLimits.maxTextLength) {
      return this.mistake(`has ${this.raw.length} characters, the limit is ${documentLimits.maxTextLength}`);
    }
    return this.raw;
  }

  word<Word extends string>(known: readonly Word[]): Word | undefined {
    const text = this.text();
    if (text === undefined || isOneOf(text, known)) return text;
    return this.mistake(`must be one of ${known.join(', ')}, got "${shown(text)}"${suggestion(text, known)}`);
  }

  integer(least: number, most: number): number | undefined {
    const { raw } = this;
    if (typeof raw === 'number' && Number.isSafeInteger(raw) && raw >= least && raw <= most) return raw;
    return this.mistake(`must be a whole number from ${least} to ${most}, got ${kindOf(raw)}`);
  }

  boolean(): boolean | undefined {
    if (typeof this.raw === 'boolean') return this.raw;
    return this.mistake(`must be true or false, got ${kindOf(this.raw)}`);
  }
}

/** A text as it may stand in a message: bounded, with its control characters escaped. */
export function shown(text: string): string {
  const quoted = JSON.stringify(text.length > 80 ? `${text.slice(0, 80)}…` : text);
  return quoted.slice(1, -1);
}

function suggestion(word: string, known: readonly string[]): string {
  const near = nearest(word, known);
  return near === undefined ? `; known are ${known.join(', ')}` : `; did you mean "${near}"?`;
}

function isOneOf<Word extends string>(text: string, known: readonly Word[]): text is Word {
  return (known as readonly string[]).includes(text);
}

function isMapping(raw: unknown): raw is Record<string, unknown> {
  return typeof raw === 'object' && raw !== null && !Array.isArray(raw);
}

function kindOf(raw: unknown): string {
  if (raw === null || raw === undefined) return 'nothing';
  if (Array.isArray(raw)) return 'a list';
  if (typeof raw === 'object') return 'a mapping';
  if (typeof raw === 'string') return `the text "${shown(raw)}"`;
  return `${String(raw)}`;
}
