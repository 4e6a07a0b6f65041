import { relative } from 'node:path';
import { complete } from './complete.ts';
import { create } from './create.ts';
import { Cancelled, terminalAsker } from './engines/ask.ts';
import { thisMachine } from './engines/machine.ts';
import { ownVersion } from './engines/template-files.ts';
import { nodeAdvice } from './node-advice.ts';
import { type Given, parseOptions, usage } from './options.ts';

const say = (text: string): void => void process.stdout.write(`${text}\n`);

try {
  await run(parseOptions(process.argv.slice(2)));
} catch (thrown) {
  process.stderr.write(`${thrown instanceof Error ? thrown.message : String(thrown)}\n`);
  process.exitCode = thrown instanceof Cancelled ? 130 : 1; // 130: what a shell says of Ctrl-C
}

async function run(given: Given): Promise<void> {
  if (given.help) return say(usage);
  if (given.version) return say(ownVersion());
  const { folder, start } = await complete(given, process.stdin.isTTY ? terminalAsker : undefined);
  const target = create({ folder, start, packages: given.packages }, (path) => say(`  + ${path}`));
  const there = relative(process.cwd(), target);
  say(`\nA fleet was written to ${target}. Next:\n`);
  if (there !== '') say(`  cd ${there}`);
  say('  npm install\n  npm start\n');
  const advice = nodeAdvice(thisMachine());
  if (advice !== undefined) say(advice);
}
