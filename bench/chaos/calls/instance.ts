/** One instance of the small service: `run()` as everybody has it, and the moods that the driver tells it. */
import { setTimeout as pause } from 'node:timers/promises';
import { FlotillaError, run, service } from 'flotilla';
import { type Mood, type Order, usualMs, work } from './contract.ts';

/** A flapping instance changes its mind so often. */
const flapMs = 1_000;

let mood: Mood = 'well';
process.on('message', (order: Order) => {
  if ('mood' in order) mood = order.mood;
  else block(order.blockMs);
});
process.channel?.unref(); // who listens to its driver ends by a signal all the same

const app = service('work');
app.handle(work, {
  async one({ number }) {
    const now = mood === 'flapping' ? flap() : mood;
    if (now === 'broken') throw new TypeError('a mistake in the handler');
    if (now === 'unavailable') throw new FlotillaError('UNAVAILABLE', 'the chaos told this instance to refuse');
    if (now === 'deaf') await new Promise(() => {});
    await pause(now === 'slow' ? 100 * usualMs : usualMs);
    return { number };
  },
});
await run(app);

function flap(): Mood {
  return Math.floor(performance.now() / flapMs) % 2 === 0 ? 'well' : 'unavailable';
}

/** What a handler with a long computation does to everybody. */
function block(ms: number): void {
  const until = performance.now() + ms;
  while (performance.now() < until);
}
