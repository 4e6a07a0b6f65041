import { writeFileSync } from 'node:fs';
import { Session } from 'node:inspector/promises';

/** Microseconds between two looks of the profiler. */
const profileEveryUs = 200;

/** What a program does when it is asked something. Whatever it returns is the answer. */
export type Answers = Readonly<Record<string, (message: Readonly<Record<string, unknown>>) => unknown>>;

/** Runs in a program of the bench: says that it is ready, answers, and ends when it is told to. */
export function serveHarness(ready: Readonly<Record<string, unknown>>, answers: Answers = {}): void {
  process.on('message', async (message: Record<string, unknown>) => {
    const asked = String(message['ask']);
    if (asked === 'stop') process.exit(0);
    process.send?.((await (answers[asked] ?? profiling[asked])?.(message)) ?? {});
  });
  process.on('disconnect', () => process.exit(0));
  process.send?.(ready);
}

let profiler: Session | undefined;

/** Every program can be profiled from one moment to another. */
const profiling: Answers = {
  async profile() {
    profiler = new Session();
    profiler.connect();
    await profiler.post('Profiler.enable');
    await profiler.post('Profiler.setSamplingInterval', { interval: profileEveryUs });
    await profiler.post('Profiler.start');
  },
  async profiled({ file }) {
    const result = await profiler?.post('Profiler.stop');
    writeFileSync(String(file), JSON.stringify(result?.profile));
    profiler?.disconnect();
  },
};
