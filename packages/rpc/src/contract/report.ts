/** Takes a mistake of an operation: a sentence without the operation's name. */
export type Report = (mistake: string) => void;

/** `"a", "b"` */
export function listed(names: readonly string[]): string {
  return names.map((name) => `"${name}"`).join(', ');
}
