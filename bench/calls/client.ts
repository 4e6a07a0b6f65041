/**
 * Calls one subject of the rows of calls, so many at a time, and checks every answer:
 * `client.ts <subject> <ports> <at a time> [bytes of an answer] [at most in hand]`.
 */
import { memoryInUse } from '../harness/memory.ts';
import { serveHarness } from '../harness/program.ts';
import { Latencies } from './latencies.ts';
import { paced } from './paced.ts';
import { setAnswerBytes } from './subject.ts';
import { loadSubject } from './subjects.ts';

/** One call of so many carries an invalid field, where the server validates. */
const invalidEvery = 1_000;

const [subjectId = '', ports = '', concurrency = '', answerBytes = '0', atMost = concurrency] = process.argv.slice(2);
if (Number(answerBytes) > 0) setAnswerBytes(Number(answerBytes));
const lanes = Number(concurrency);
const subject = await loadSubject(subjectId);
const client = await subject.connect(ports.split(',').map(Number), Number(atMost));
const { invalid } = client;

const made = { calls: 0, invalid: 0, refused: 0, wrong: 0 };
let until = 0;
let completed = 0;

serveHarness(
  {},
  {
    run: async ({ ms }) => measure(Number(ms)),
    // The same with the time of each call, which costs two looks at the clock.
    latencies: async ({ ms }) => timed((latencies) => measure(Number(ms), latencies)),
    paced: async ({ ms, perSecond }) =>
      timed((latencies) => paced(Number(ms), Number(perSecond), () => one(0, undefined), latencies)),
    beside: async ({ ms, what }) => timed((latencies) => beside(Number(ms), String(what), latencies)),
    stalled: async ({ calls }) => stalled(Number(calls)),
    memory: () => ({ bytes: memoryInUse() }),
    count: async () => ({ ...made, ...(await client.counters?.()) }),
  },
);

async function measure(ms: number, latencies?: Latencies): Promise<object> {
  const cpuBefore = process.cpuUsage();
  const startedAt = performance.now();
  until = startedAt + ms;
  completed = 0;
  let ended: { operations: number; wallMs: number; cpuMs: number } | undefined;
  const running = Array.from({ length: lanes }, async (_, lane) => {
    while (performance.now() < until) await one(lane, latencies);
    if (ended) return;
    const { user, system } = process.cpuUsage(cpuBefore);
    ended = { operations: completed, wallMs: performance.now() - startedAt, cpuMs: (user + system) / 1_000 };
  });
  await Promise.all(running);
  return ended ?? {};
}

async function one(lane: number, latencies: Latencies | undefined): Promise<void> {
  const number = ++made.calls;
  const startedAt = latencies ? performance.now() : 0;
  if (invalid && number % invalidEvery === 0) {
    made.invalid++;
    if (await invalid(`p-${number}`)) made.refused++;
  } else {
    const id = `p-${number}`;
    const product = await client.call(id, (lane % 1_000) + 1);
    if (product.id !== id || product.priceCents !== 1_150) made.wrong++;
  }
  if (latencies) latencies.add(performance.now() - startedAt);
  completed++;
}

async function timed(work: (latencies: Latencies) => Promise<object>): Promise<object> {
  const latencies = new Latencies();
  const result = await work(latencies);
  return { ...result, p50Ms: latencies.quantile(0.5), p99Ms: latencies.quantile(0.99) };
}

/** Small calls while something large is under way: `nothing`, a `large` answer every second, or a `stream` without pause. */
async function beside(ms: number, what: string, latencies: Latencies): Promise<object> {
  const other = { large: 0, elements: 0 };
  const until = performance.now() + ms;
  const large = async (): Promise<void> => {
    for (let at = performance.now(); at < until; at += 1_000) {
      other.large += (await client.large?.()) ?? 0;
      await new Promise((resolve) => setTimeout(resolve, Math.max(0, at + 1_000 - performance.now())));
    }
  };
  const stream = async (): Promise<void> => {
    other.elements = (await client.streamed?.(ms)) ?? 0;
  };
  const beside = what === 'large' ? large() : what === 'stream' ? stream() : undefined;
  const [ran] = await Promise.all([measure(ms, latencies), beside]);
  return { ...ran, ...other };
}

/** Makes so many calls that nobody answers; resolves when all have failed. */
async function stalled(calls: number): Promise<object> {
  const before = memoryInUse();
  let refused = 0;
  let late = 0;
  const failed = (thrown: { readonly code?: string }): void => {
    if (thrown.code === 'DEADLINE_EXCEEDED') late++;
    else refused++;
  };
  const pending = Array.from({ length: calls }, () => client.stalled?.().catch(failed));
  // Thousands of refusals, each of which may have been tried once more, take their time.
  for (let seen = -1; seen !== refused; ) {
    seen = refused;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  const outstanding = calls - refused - late;
  const bytes = (memoryInUse() - before) / outstanding;
  await Promise.all(pending);
  return { refused, late, outstanding, bytes, left: Math.max(0, memoryInUse() - before) };
}
