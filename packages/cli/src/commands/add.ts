import { resolve } from 'node:path';
import { readIn, writeAddition } from '../add/engines/fleet-files.ts';
import { type Addition, planAddition } from '../add/plan-addition.ts';
import { type Output, show } from './output.ts';

/** Adds a service to the fleet of a folder: its contract, its program, its test, and its entries in the fleet's files. */
export function add(folder: string, addition: Addition, dryRun: boolean, output: Output): void {
  const root = resolve(folder);
  const plan = planAddition(addition, { read: readIn(root) });
  if (!dryRun) writeAddition(root, plan);
  const created = plan.created.map(({ path }) => path);
  const changed = plan.changed.map(({ path }) => path);
  show(output, { folder: root, dryRun, created, changed, next: plan.next }, () =>
    [
      dryRun ? `Nothing is written; in ${root} this would be:` : `Written in ${root}:`,
      ...created.map((path) => `  + ${path}`),
      ...changed.map((path) => `  ~ ${path}`),
      '',
      'Next:',
      ...plan.next.map((step, index) => `  ${index + 1}. ${step}`),
    ].join('\n'),
  );
}
