import { inspect } from 'node:util';

/**
 * A text that must not be seen: printing it in any way shows `***`. {@link reveal} is the only way to the text, so
 * every use of a secret can be found by searching for that word.
 */
export class Secret {
  readonly #text: string;

  constructor(text: string) {
    this.#text = text;
  }

  reveal(): string {
    return this.#text;
  }

  toString(): string {
    return '***';
  }

  toJSON(): string {
    return '***';
  }

  static {
    Object.defineProperty(Secret.prototype, inspect.custom, { value: () => '***' });
  }
}
