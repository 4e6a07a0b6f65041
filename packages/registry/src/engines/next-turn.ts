/** Resolves when everything that this turn of the event loop had to do is done. */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
