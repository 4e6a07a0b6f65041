/** One caller of the small service: a process as `run()` makes it, that calls at a rate, whatever becomes of the calls before. */
import { FlotillaError, run, service } from 'flotilla';
import { work } from './contract.ts';

/** One call, as it is told to the driver. `code` is empty when it was answered; `lateMs`: how far behind its schedule the caller was. */
export type Called = readonly [dueAt: number, lateMs: number, tookMs: number, code: string];

/** What a caller is told. */
export type Command = { readonly ratePerSecond: number } | { readonly end: true };

/** More calls than these are not begun; each of them counts as failed. */
const maxInFlight = 2_000;
const everyMs = 2;

const app = service('caller');
const client = app.client(work, {
  timeoutMs: 5_000,
  attemptTimeoutMs: 3_000, // longer than an event loop is blocked here: who is only late is not given up
  // Short terms, so that a scenario is over in seconds.
  balance: { warmUpMs: 1_000, outlier: { baseEjectionMs: Number(process.env['EJECTION_MS'] ?? 3_000) } },
});

const called: Called[] = [];
/** Codes of failures that were written down already. */
const told = new Set<string>();
const inHand = new Set<Promise<void>>();
let timer: NodeJS.Timeout | undefined;

process.on('message', async (command: Command) => {
  if ('ratePerSecond' in command) return begin(command.ratePerSecond);
  clearInterval(timer);
  await Promise.all(inHand); // each ends by its own time-out
  process.send?.({ called });
});
process.channel?.unref();
await run(app);

function begin(ratePerSecond: number): void {
  const from = performance.now();
  let made = 0;
  timer = setInterval(() => {
    for (; from + (made * 1_000) / ratePerSecond <= performance.now(); made++) {
      const due = from + (made * 1_000) / ratePerSecond;
      const call: Promise<void> = callOnce(due, made).finally(() => inHand.delete(call));
      inHand.add(call);
    }
  }, everyMs);
}

async function callOnce(due: number, number: number): Promise<void> {
  const late = performance.now() - due;
  let code = '';
  if (inHand.size >= maxInFlight) code = 'NOT_BEGUN';
  else {
    try {
      const answer = await client.one({ number });
      if (answer.number !== number) code = 'ANOTHER_ANSWER';
    } catch (thrown) {
      code = thrown instanceof FlotillaError ? thrown.code : String(thrown);
      if (!told.has(code)) console.log(`first ${code}: ${thrown}`); // for the log of a scenario that failed
      told.add(code);
    }
  }
  called.push([performance.timeOrigin + due, late, performance.now() - due, code]);
}
