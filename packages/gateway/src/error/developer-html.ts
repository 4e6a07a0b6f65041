import type { DeveloperView } from './developer-view.ts';
import { escapeHtml } from './page.ts';

/** A {@link DeveloperView} as a part of a page. Every text in it may come from a stranger or from a service: all is escaped. */
export function developerHtml(view: DeveloperView): string {
  const { reason, causes, request, elapsedMs, route, to, nearest, instances, attempts, next } = view;
  const parts = [
    `<h2>What happened</h2>\n<p>${code(reason)}</p>\n${causes.map((cause) => `<p>because: ${code(cause)}</p>\n`).join('')}`,
    `<h2>What to do next</h2>\n<p>${escapeHtml(next)}</p>\n`,
    table(
      'The request',
      ['request', 'after', 'route', 'leads to'],
      [[request, `${elapsedMs} ms`, route ?? 'none', to ?? '']],
    ),
    table(
      'What was tried',
      ['instance', 'address', 'begun after', 'took', 'outcome'],
      attempts.map((one) => [one.instance, one.address, `${one.afterMs} ms`, `${one.tookMs} ms`, one.outcome]),
    ),
    instances && instances.length === 0 ? '<h2>Instances that are known</h2>\n<p>None.</p>\n' : '',
    table(
      'Instances that are known',
      ['instance', 'address', 'status', 'ejected', 'calls', 'failures', 'tried now'],
      (instances ?? []).map((one) => [
        one.id,
        one.address,
        one.status,
        one.ejectedForMs > 0 ? `for ${one.ejectedForMs} ms` : 'no',
        `${one.calls}`,
        `${one.failures}`,
        one.tried ? 'yes' : 'no',
      ]),
    ),
    table(
      'The nearest routes',
      ['route', 'why it does not take the request'],
      nearest.map(({ id, reason: why }) => [id, why]),
    ),
    '<p>Only the developer of this machine sees these lines: the process was told to show them (developerErrors).</p>\n',
  ];
  return parts.join('');
}

function table(title: string, head: readonly string[], rows: readonly (readonly string[])[]): string {
  if (rows.length === 0) return '';
  const cells = (row: readonly string[], tag: string): string =>
    row.map((text) => `<${tag}>${escapeHtml(text)}</${tag.split(' ')[0]}>`).join('');
  return `<h2>${title}</h2>
<table>
<thead><tr>${cells(head, 'th scope="col"')}</tr></thead>
<tbody>
${rows.map((row) => `<tr>${cells(row, 'td')}</tr>\n`).join('')}</tbody>
</table>
`;
}

function code(text: string): string {
  return `<code>${escapeHtml(text)}</code>`;
}
