/**
 * Rules of the runtime that no general linter knows. Time, randomness, sockets and files are reached through ports, so
 * that every component runs in a simulation; only adapters (`engines/`), programs (`main.ts`), scripts and tests may
 * touch them. Own regular expressions must not be super-linear.
 */
import { lineAt, superLinear } from './regular-expressions.ts';
import { sourcesUnder, withoutComments } from './sources.ts';

interface Rule {
  readonly pattern: RegExp;
  readonly message: string;
  /** Paths for which the rule does not hold. */
  readonly except: RegExp;
}

/** Examples are applications: they open files and databases as their users would. */
const rim = /^examples\/|\/engines\/|\/main\.ts$|\.test\.ts$|\/test\/|\/testing\//;

const rules: readonly Rule[] = [
  {
    pattern: /\bDate\.now\b|\bnew Date\(\s*\)|\bperformance\.now\b/g,
    message: 'time is an argument: take a Clock',
    except: rim,
  },
  {
    pattern: /(?<![.\w])(?:setTimeout|setInterval|setImmediate)\s*\(/g,
    message: 'timers go through the Clock',
    except: rim,
  },
  { pattern: /\bMath\.random\b/g, message: 'randomness is an argument: take a Random', except: rim },
  {
    pattern: /from 'node:(?:net|tls|http|https|http2|fs|fs\/promises|child_process|cluster|dgram)'/g,
    message: 'sockets, files and processes belong into an engine',
    except: rim,
  },
  { pattern: /\.pipe\(/g, message: 'join streams with stream.pipeline: .pipe() leaks on failure', except: /^$/ },
  { pattern: /\bnew (?:Map|Set)\([^)]*JSON\.parse/g, message: 'copy JSON field by field', except: /^$/ },
];

const mistakes: string[] = [];
let expressions = 0;
for (const { path, text } of [...sourcesUnder('packages'), ...sourcesUnder('examples')]) {
  const code = withoutComments(text);
  for (const { pattern, message, except } of rules) {
    if (except.test(path)) continue;
    for (const match of code.matchAll(pattern)) mistakes.push(`${path}:${lineAt(code, match.index)}: ${message}`);
  }
  if (/\.test\.ts$|\/test\//.test(path)) continue;
  const found = superLinear(code);
  expressions += found.checked;
  for (const { line, source, reason } of found.mistakes) mistakes.push(`${path}:${line}: /${source}/ ${reason}`);
}
if (mistakes.length > 0) {
  console.error(mistakes.join('\n'));
  process.exit(1);
}
console.log(`rules: ports are used everywhere, ${expressions} regular expressions are linear`);
