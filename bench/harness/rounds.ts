import { resolve } from 'node:path';
import type { Measurement, Row, Subject } from './measurement.ts';
import type { Plan, Request } from './plan.ts';
import { benchFolder } from './processes.ts';

/** All rounds of a subject, in order. */
export interface Rounds {
  readonly subject: Subject;
  readonly measurements: readonly Measurement[];
}

/** A row with what was measured. */
export interface MeasuredRow {
  readonly row: Row;
  readonly subjects: readonly Rounds[];
}

/** Measures in turns, A B C A B C …, so that whatever changes on the machine meanwhile meets all of them. */
export async function measureRow(row: Row, plan: Plan, say: (line: string) => void): Promise<MeasuredRow> {
  const all = row.subjects.map((subject) => ({ subject, measurements: [] as Measurement[] }));
  for (let round = 1; round <= plan.rounds; round++) {
    for (const { subject, measurements } of all) {
      const measurement = await subject.measure(plan);
      measurements.push(measurement);
      say(`${row.id} ${round}/${plan.rounds} ${subject.title}: ${shortly(measurement)}`);
    }
  }
  return { row, subjects: all };
}

/** The rows and subjects that were asked for. @throws TypeError for a name that is none */
export function chooseRows(rows: readonly Row[], { rows: ids, subjects, against, plan }: Request): Row[] {
  for (const id of ids) if (!rows.some((row) => row.id === id)) throw unknown('row', id, rows);
  const form = plan.quick ? 'quick' : 'full';
  const chosen = rows.filter(({ id, leftOutOf = [] }) =>
    ids.length === 0 ? !leftOutOf.includes(form) : ids.includes(id),
  );
  const known = chosen.flatMap((row) => row.subjects);
  for (const id of subjects) if (!known.some((subject) => subject.id === id)) throw unknown('subject', id, known);
  if (against !== undefined) return chosen.flatMap((row) => twins(row, against));
  if (subjects.length === 0) return chosen;
  return chosen.map((row) => ({
    ...row,
    subjects: row.subjects.filter(({ id }) => id === row.reference || subjects.includes(id)),
  }));
}

/** Our subject as it is here and as it is in another checkout. */
function twins(row: Row, checkout: string): Row[] {
  const here = row.subjects.find(({ id }) => id === 'flotilla');
  if (!row.own || !here) return [];
  const there: Subject = {
    id: 'before',
    title: `Flotilla in ${checkout}`,
    measure: row.own(resolve(checkout, 'bench')),
  };
  return [{ ...row, reference: there.id, subjects: [there, { ...here, measure: row.own(benchFolder) }] }];
}

function unknown(kind: string, id: string, known: readonly { readonly id: string }[]): TypeError {
  return new TypeError(`there is no ${kind} "${id}"; there are ${[...new Set(known.map((one) => one.id))].join(', ')}`);
}

function shortly({ operations, wallMs, processes }: Measurement): string {
  const costs = processes.map(({ role, cpuMs }) => {
    const busy = Math.round((cpuMs / wallMs) * 100);
    return `${role} ${((cpuMs * 1_000) / operations).toFixed(2)} µs CPU, ${busy} % busy`;
  });
  return [`${operations} in ${Math.round(wallMs)} ms`, ...costs].join('; ');
}
