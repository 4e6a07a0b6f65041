/**
 * Holds the documentation against the code:
 * - `docs/errors.md` lists exactly the codes of the error table, with their statuses, both ways;
 * - `docs/metrics.md` lists exactly the metrics that the sources name, both ways;
 * - a code block under `<!-- file: PATH -->` is that file, or its part between `// #region NAME` lines
 *   (`<!-- file: PATH#NAME -->`), to the letter;
 * - a relative link leads to a file.
 */
import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { errorTable } from '../packages/core/src/errors.ts';
import { root } from './packages.ts';
import { sourcesUnder } from './sources.ts';

const mistakes: string[] = [];
checkErrors();
checkMetrics();
const pages = globSync('**/*.md', {
  cwd: root,
  exclude: (name) => /node_modules|dist|golden/.test(String(name)),
}).sort();
for (const page of pages) {
  const text = readFileSync(join(root, page), 'utf8');
  checkSnippets(page, text);
  checkLinks(page, text);
}
if (mistakes.length > 0) {
  console.error(mistakes.join('\n'));
  process.exit(1);
}
console.log(
  `docs: ${pages.length} pages agree with the code, ${Object.keys(errorTable).length} error codes documented`,
);

function checkErrors(): void {
  const path = 'docs/errors.md';
  const rows = [...read(path).matchAll(/^\| `([A-Z_]+)` \| (\d+) \| (\w+) \| (\w+) \| (no|unknown|yes) \| (.+) \|$/gm)];
  const documented = new Map(rows.map(([, code = '', ...cells]) => [code, cells.join(' · ')]));
  for (const [code, row] of Object.entries(errorTable)) {
    const expected = [row.httpStatus, row.grpcStatus, row.rsocketError, row.executed, row.meaning].join(' · ');
    const found = documented.get(code);
    if (found !== expected) mistakes.push(`${path}: ${code} must read "${expected}", found "${found ?? 'nothing'}"`);
  }
  for (const code of documented.keys()) {
    if (!Object.hasOwn(errorTable, code)) mistakes.push(`${path}: ${code} is not in the error table`);
  }
}

function checkMetrics(): void {
  const path = 'docs/metrics.md';
  const documented = new Set([...read(path).matchAll(/^\| `(flotilla_\w+)`/gm)].map(([, name = '']) => name));
  const named = new Set<string>();
  for (const { path: file, text } of sourcesUnder('packages')) {
    if (/\.test\.ts$|\/test\//.test(file)) continue;
    for (const [, template = ''] of text.matchAll(/name: [`'](flotilla_[\w${}]+)[`']/g)) {
      // biome-ignore lint/suspicious/noTemplateCurlyInString: the sources hold this text
      const sides = template.includes('${kind}') ? ['client', 'server'] : [''];
      // biome-ignore lint/suspicious/noTemplateCurlyInString: the sources hold this text
      for (const side of sides) named.add(template.replace('${kind}', side));
    }
  }
  for (const name of named) if (!documented.has(name)) mistakes.push(`${path}: ${name} is emitted, but not listed`);
  for (const name of documented)
    if (!named.has(name)) mistakes.push(`${path}: ${name} is listed, but nothing emits it`);
}

function checkSnippets(page: string, text: string): void {
  for (const [, path = '', region, block = ''] of text.matchAll(
    /<!-- file: ([^\s#]+)(?:#(\S+))? -->\n```\w*\n([\s\S]*?)```/g,
  )) {
    const expected = snippet(path, region);
    if (expected !== block)
      mistakes.push(`${page}: the block from ${path}${region ? `#${region}` : ''} differs from the file`);
  }
}

function snippet(path: string, region: string | undefined): string | undefined {
  const text = read(path);
  if (region === undefined) return text;
  const lines = text.split('\n');
  const from = lines.findIndex((line) => line.trim() === `// #region ${region}`);
  const to = lines.findIndex((line, index) => index > from && line.trim() === '// #endregion');
  return from < 0 || to < 0 ? undefined : `${lines.slice(from + 1, to).join('\n')}\n`;
}

function checkLinks(page: string, text: string): void {
  const prose = text.replace(/```[\s\S]*?```/g, '');
  for (const [, target = ''] of prose.matchAll(/\]\(([^)\s]+)\)/g)) {
    if (/^(?:https?:|mailto:|#)/.test(target)) continue;
    const [path = ''] = target.split('#');
    if (!existsSync(join(root, dirname(page), path))) mistakes.push(`${page}: the link to "${target}" leads nowhere`);
  }
}

function read(path: string): string {
  return existsSync(join(root, path)) ? readFileSync(join(root, path), 'utf8') : '';
}
