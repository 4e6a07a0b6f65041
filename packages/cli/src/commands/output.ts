/** Where a command writes, and how. */
export interface Output {
  readonly print: (text: string) => void;
  /** One JSON document instead of words for a person. */
  readonly json: boolean;
}

/** Prints a value as JSON, or as a person would read it. */
export function show(output: Output, value: unknown, forPerson: () => string): void {
  output.print(output.json ? JSON.stringify(value, null, 2) : forPerson());
}
