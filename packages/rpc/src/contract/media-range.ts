/** True for `image/png`, `image/*`, every type: a media type without parameters, or a range of them. */
export function isMediaRange(text: string): boolean {
  return rangePattern.test(text);
}

/** The types of a list that are no ranges: what an answer can be. */
export function concreteTypes(types: readonly string[]): readonly string[] {
  return types.filter((type) => !type.includes('*'));
}

const rangePattern = /^(?:\*\/\*|[a-z0-9][a-z0-9!#$&^_.+-]{0,126}\/(?:\*|[a-z0-9][a-z0-9!#$&^_.+-]{0,126}))$/;
