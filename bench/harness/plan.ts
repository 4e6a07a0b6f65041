import { parseArgs } from 'node:util';

/** How long and how often everything is measured. */
export interface Plan {
  /** Only shows that every subject runs and counts right: its times mean nothing. */
  readonly quick: boolean;
  readonly rounds: number;
  /** CPU time that a measured process is given to warm up; on a busy machine that takes longer. */
  readonly warmMs: number;
  readonly measureMs: number;
  /** Calls or connections at one time. */
  readonly concurrency: number;
}

/** What the command was asked for. */
export interface Request {
  readonly plan: Plan;
  /** Ids of rows; empty: all. */
  readonly rows: readonly string[];
  /** Ids of subjects; empty: all. The reference of a row is always measured. */
  readonly subjects: readonly string[];
  /** Folder of another checkout of this repository that ours is compared with. */
  readonly against: string | undefined;
  /** Writes the figures into `docs/`: of everything, or of the rows that were named. */
  readonly publish: 'all' | 'named' | undefined;
  /** Name of the file in `bench/results/`, without its ending; undefined: by what the run is. */
  readonly results: string | undefined;
}

export const full: Plan = { quick: false, rounds: 5, warmMs: 2_000, measureMs: 3_000, concurrency: 64 };
const quick: Plan = { quick: true, rounds: 1, warmMs: 100, measureMs: 400, concurrency: 64 };

export const usage = `npm run bench -- [--quick] [--rows gateway,calls] [--subjects flotilla] [--rounds 5] [--seconds 3] [--against ../other] [--results name]

  --quick      one short round of everything: shows that each subject runs and counts right, measures nothing
  --rows       only these rows
  --subjects   only these subjects, beside the reference of each row
  --against    another checkout: its Flotilla is measured in turns with this one's, and is the reference
  --rounds     how often each subject is measured, in turns (default ${full.rounds})
  --seconds    how long it is measured each time (default ${full.measureMs / 1_000})
  --results    writes the figures into bench/results/<name>.json
  --publish    writes the named rows into docs/performance.md, each with when it was taken

A full run of all rows writes docs/performance.md and its charts; any other only prints. Rows that take minutes are left
out unless they are named: registry-growth, registry-clients.`;

/** @returns undefined when only help was asked for. @throws TypeError for an option that is none */
export function readRequest(args: readonly string[]): Request | undefined {
  const { values } = parseArgs({
    args: [...args],
    options: {
      quick: { type: 'boolean', default: false },
      rows: { type: 'string', default: '' },
      subjects: { type: 'string', default: '' },
      against: { type: 'string' },
      help: { type: 'boolean', default: false },
      rounds: { type: 'string' },
      seconds: { type: 'string' },
      results: { type: 'string' },
      publish: { type: 'boolean', default: false },
    },
  });
  if (values.help) return undefined;
  const base = values.quick ? quick : full;
  const plan: Plan = {
    ...base,
    rounds: positive('--rounds', values.rounds) ?? base.rounds,
    measureMs: (positive('--seconds', values.seconds) ?? base.measureMs / 1_000) * 1_000,
  };
  const rows = words(values.rows);
  const subjects = words(values.subjects);
  const { against, results } = values;
  if (results !== undefined && !/^[\w-]+$/.test(results)) {
    throw new TypeError(`--results is a name of letters, digits and hyphens, got "${results}"`);
  }
  const whole = !values.quick && subjects.length === 0 && against === undefined;
  if (values.publish && !whole)
    throw new TypeError('--publish wants every subject of its rows, and no --quick or --against');
  const publish = whole && rows.length === 0 ? 'all' : values.publish ? 'named' : undefined;
  return { plan, rows, subjects, against, publish, results };
}

function words(list: string): string[] {
  return list.split(',').filter((word) => word !== '');
}

function positive(name: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const value = Number(text);
  if (!(value > 0)) throw new TypeError(`${name} is a number above 0, got "${text}"`);
  return value;
}
