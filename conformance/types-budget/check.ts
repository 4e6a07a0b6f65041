// Type-checks a generated fleet of contracts with its clients and servers, and fails above the committed number of type
// instantiations: that number, unlike seconds, is the same on every machine.
//
//   node conformance/types-budget/check.ts

import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { generateFleet, size } from './generate.ts';

const root = join(import.meta.dirname, '../..');
const budgetPath = join(import.meta.dirname, 'budget.json');
const budget = JSON.parse(readFileSync(budgetPath, 'utf8')) as { readonly instantiations: number };

const diagnostics = measure();
const instantiations = numberOf(diagnostics, 'Instantiations');
const summary = [
  `${size.contracts} contracts x ${size.operations} operations with zod, clients and handlers`,
  `${instantiations} type instantiations, budget ${budget.instantiations}`,
  `check time ${textOf(diagnostics, 'Check time')}, total ${textOf(diagnostics, 'Total time')}`,
  `memory ${textOf(diagnostics, 'Memory used')}`,
];
process.stdout.write(`${summary.join('\n')}\n`);
if (!(instantiations > 0 && instantiations <= budget.instantiations)) {
  process.stderr.write(
    'Over the budget: type inference of contracts got more expensive for everybody who uses them. Make it flat again,\n' +
      `or raise "instantiations" in ${budgetPath} and give the reason in the commit.\n`,
  );
  process.exitCode = 1;
}

function measure(): string {
  const folder = mkdtempSync(join(tmpdir(), 'flotilla-types-'));
  try {
    mkdirSync(join(folder, 'src'));
    symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
    for (const [name, text] of generateFleet()) writeFileSync(join(folder, 'src', name), text);
    writeFileSync(join(folder, 'package.json'), '{ "type": "module" }');
    writeFileSync(
      join(folder, 'tsconfig.json'),
      JSON.stringify({ extends: join(root, 'tsconfig.json'), include: ['src'], exclude: [] }),
    );
    const tsc = join(root, 'node_modules/.bin/tsc');
    const run = spawnSync(tsc, ['-p', folder, '--extendedDiagnostics', '--checkers', '1'], { encoding: 'utf8' });
    if (run.status !== 0)
      throw new Error(`the generated fleet does not compile:\n${(run.stdout + run.stderr).slice(0, 4_000)}`);
    return run.stdout;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function textOf(diagnostics: string, label: string): string {
  return new RegExp(`^${label}:\\s+(.*)$`, 'm').exec(diagnostics)?.[1] ?? 'unknown';
}

function numberOf(diagnostics: string, label: string): number {
  return Number(textOf(diagnostics, label).replaceAll(',', ''));
}
