import { assertDuration, type Clock, type Random, type Timer } from '../clock.ts';

/** Node fires a longer timer after 1 ms; longer waits are chained (`setTimeout` in the Node.js documentation). */
const longestTimerMs = 2 ** 31 - 1;

const machine = performance; // looked up once: the global one is an accessor

/** The clock of the machine. */
export const systemClock: Clock = Object.freeze({
  now: () => machine.now(),
  wallNow: () => Date.now(),
  setTimer: startTimer,
});

/** `Math.random`: good enough for jitter and picks, never for secrets. */
export const systemRandom: Random = () => Math.random();

function startTimer(delayMs: number, fire: () => void, options?: { readonly background?: boolean }): Timer {
  assertDuration(delayMs);
  if (delayMs === Infinity) return { cancel() {} };
  let handle: NodeJS.Timeout;
  const arm = (remainingMs: number): void => {
    const stepMs = Math.min(remainingMs, longestTimerMs);
    handle = setTimeout(() => (remainingMs > stepMs ? arm(remainingMs - stepMs) : fire()), Math.ceil(stepMs));
    if (options?.background) handle.unref();
  };
  arm(delayMs);
  return { cancel: () => clearTimeout(handle) };
}
