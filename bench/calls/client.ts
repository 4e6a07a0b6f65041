/** Calls one subject of the row `calls`, so many at a time, and checks every answer. */
import { serveHarness } from '../harness/program.ts';
import { loadSubject } from './subjects.ts';

/** One call of so many carries an invalid field, where the server validates. */
const invalidEvery = 1_000;

const [subjectId = '', port = '', concurrency = ''] = process.argv.slice(2);
const lanes = Number(concurrency);
const subject = await loadSubject(subjectId);
const client = await subject.connect(Number(port), lanes);
const { invalid } = client;

const made = { calls: 0, invalid: 0, refused: 0, wrong: 0 };
let until = 0;
let completed = 0;

serveHarness(
  {},
  {
    run: async ({ ms }) => measure(Number(ms)),
    count: async () => ({ ...made, ...(await client.counters?.()) }),
  },
);

async function measure(ms: number): Promise<object> {
  const cpuBefore = process.cpuUsage();
  const startedAt = performance.now();
  until = startedAt + ms;
  completed = 0;
  let ended: { operations: number; wallMs: number; cpuMs: number } | undefined;
  const running = Array.from({ length: lanes }, async (_, lane) => {
    while (performance.now() < until) await one(lane);
    if (ended) return;
    const { user, system } = process.cpuUsage(cpuBefore);
    ended = { operations: completed, wallMs: performance.now() - startedAt, cpuMs: (user + system) / 1_000 };
  });
  await Promise.all(running);
  return ended ?? {};
}

async function one(lane: number): Promise<void> {
  const number = ++made.calls;
  if (invalid && number % invalidEvery === 0) {
    made.invalid++;
    if (await invalid(`p-${number}`)) made.refused++;
  } else {
    const id = `p-${number}`;
    const product = await client.call(id, lane + 1);
    if (product.id !== id || product.priceCents !== 1_150) made.wrong++;
  }
  completed++;
}
