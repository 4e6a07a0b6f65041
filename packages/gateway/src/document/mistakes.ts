import { FlotillaError } from '@flotilla/core';

/** Keys and indexes from the top of a document down to a value. */
export type DocumentPath = readonly (string | number)[];

/** Says where a value was written: `routes.yaml:12:5`. Empty where there are no lines. */
export type Locate = (path: DocumentPath) => string;

/** Something wrong in a route document. */
export interface RouteMistake {
  /** `routes.yaml:12:5`; empty for data that was not read from a text. */
  readonly where: string;
  /** `routes[3].to` */
  readonly key: string;
  /** What is wrong there, and what would be right. */
  readonly problem: string;
}

/** What a reader collects, so that one run names everything that is wrong. */
export class Mistakes {
  /** More are counted, not kept: nobody reads on, and a hostile document could hold very many. */
  static readonly maxKept = 50;
  readonly #locate: Locate;
  readonly #kept: RouteMistake[] = [];
  #count = 0;

  constructor(locate: Locate) {
    this.#locate = locate;
  }

  get count(): number {
    return this.#count;
  }

  add(path: DocumentPath, problem: string): void {
    this.#count++;
    if (this.#kept.length < Mistakes.maxKept) {
      this.#kept.push({ where: this.#locate(path), key: formatPath(path), problem });
    }
  }

  /** @throws FlotillaError CONFIG_INVALID naming all mistakes; its `data` is `{ mistakes }`. */
  throwIfAny(name: string): void {
    if (this.#count === 0) return;
    const lines = this.#kept.map(({ where, key, problem }) => [where, key, problem].filter(Boolean).join(': '));
    if (this.#count > lines.length) lines.push(`and ${this.#count - lines.length} more`);
    const counted = this.#count === 1 ? 'one mistake' : `${this.#count} mistakes`;
    throw new FlotillaError('CONFIG_INVALID', `${counted} in ${name}\n  ${lines.join('\n  ')}`, {
      data: { mistakes: this.#kept },
    });
  }
}

/** `routes[3].to`; empty for the whole document. */
export function formatPath(path: DocumentPath): string {
  let text = '';
  for (const part of path) text += typeof part === 'number' ? `[${part}]` : text === '' ? part : `.${part}`;
  return text;
}
