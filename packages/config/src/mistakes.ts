import { FlotillaError } from '@flotilla/core';

/** One thing that is wrong with the configuration. */
export interface Mistake {
  /** `flotilla.yaml:12:5`, `FLOTILLA_PORT` or `--port`; empty when nothing was written anywhere. */
  readonly where: string;
  /** The key in dots: `http.maxBodyBytes`; empty when the mistake is about the whole text. */
  readonly key: string;
  /** What is wrong and what to do, with the value in quotes, or `***` for a secret. */
  readonly problem: string;
}

/** More mistakes than this are counted, not told: nobody reads on. */
export const maxMistakesTold = 50;

/** Gathers every mistake of one loading, so that an operator repairs them all at once. */
export class Mistakes {
  readonly #told: Mistake[] = [];
  #count = 0;
  #unreadable = false;

  get count(): number {
    return this.#count;
  }

  get told(): readonly Mistake[] {
    return this.#told;
  }

  /** @param problem a function where finding the words costs something (the nearest key): skipped when nobody will read them. */
  add(where: string, key: string, problem: string | (() => string)): void {
    this.#count += 1;
    if (this.#told.length >= maxMistakesTold) return;
    this.#told.push({ where, key, problem: typeof problem === 'string' ? problem : problem() });
  }

  /** Says that a whole text could not be read, so that looking for missing values would only mislead. */
  markUnreadable(): void {
    this.#unreadable = true;
  }

  /** As {@link throwIfAny}, when {@link markUnreadable} was called. */
  throwIfUnreadable(): void {
    if (this.#unreadable) this.throwIfAny();
  }

  /**
   * Does nothing when there is no mistake.
   * @throws FlotillaError CONFIG_INVALID that lists them; `data.mistakes` holds the same as data.
   */
  throwIfAny(): void {
    if (this.#count === 0) return;
    const unsaid = this.#count - this.#told.length;
    const lines = this.#told.map(formatMistake);
    if (unsaid > 0) lines.push(`and ${unsaid} more`);
    const heading = this.#count === 1 ? 'one mistake' : `${this.#count} mistakes`;
    throw new FlotillaError('CONFIG_INVALID', `${heading} in the configuration\n  ${lines.join('\n  ')}`, {
      data: { mistakes: this.#told },
    });
  }
}

/** One line: place, key, problem. */
export function formatMistake({ where, key, problem }: Mistake): string {
  return [where, key, problem].filter((part) => part !== '').join(': ');
}
