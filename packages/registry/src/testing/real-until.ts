/** Waits until something holds that happens outside of this process; 20 s at most. */
export async function realUntil(what: string, holds: () => boolean): Promise<void> {
  const deadline = performance.now() + 20_000;
  while (!holds()) {
    if (performance.now() > deadline) throw new Error(`within 20 s it did not come to this: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
