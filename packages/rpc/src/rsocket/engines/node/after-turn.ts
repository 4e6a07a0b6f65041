/**
 * Runs what many connections have to do at the end of a turn of the event loop, by one `setImmediate` for all of them:
 * after everything that the poll phase read, before it waits again.
 */
export function afterTurn(run: () => void): void {
  if (pending.length === 0) setImmediate(runAll);
  pending.push(run);
}

let pending: (() => void)[] = [];

function runAll(): void {
  const runs = pending;
  pending = [];
  let at = 0;
  try {
    for (; at < runs.length; at++) (runs[at] as () => void)();
  } finally {
    for (const rest of runs.slice(at + 1)) afterTurn(rest); // one threw: the others have their turn
  }
}
