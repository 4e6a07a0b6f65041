import type { Instance } from '@flotilla/core';

/** Who is meant by a hint: an instance by its id, or those that name the hint in their metadata. */
export class Hints<M extends { readonly instance: Instance }> {
  readonly #byHint = new Map<string, M[]>();

  constructor(members: readonly M[]) {
    for (const member of new Set(members)) {
      this.#add(member.instance.id, member);
      const named = member.instance.metadata['hint'];
      if (named) this.#add(named, member);
    }
  }

  get(hint: string): readonly M[] {
    return this.#byHint.get(hint) ?? [];
  }

  #add(hint: string, member: M): void {
    const others = this.#byHint.get(hint);
    if (others) others.push(member);
    else this.#byHint.set(hint, [member]);
  }
}
