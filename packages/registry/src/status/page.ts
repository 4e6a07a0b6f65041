import { type InstanceStatus, instanceStatuses } from '@flotilla/core';
import { type Html, html } from './html.ts';
import type { Overview } from './overview.ts';
import { type StatusQuery, writeStatusQuery } from './query.ts';
import { changeList, instanceTable, notices, peerList, serviceList } from './sections.ts';
import { counted } from './words.ts';

/** The whole page: complete without scripts, and kept up by one where there are. */
export function statusPage(overview: Overview, query: StatusQuery): string {
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Flotilla registry</title>
<link rel="icon" href="/status/icon.svg" type="image/svg+xml">
<link rel="stylesheet" href="/status/page.css">
<script src="/status/page.js" defer></script>
</head>
<body data-live="/status/live${writeStatusQuery(query)}">
<a class="skip" href="#instances">To the instances</a>
<header>
<div class="wide">
<img src="/status/icon.svg" alt="" width="32" height="32">
<h1><a href="/">Flotilla registry</a></h1>
<p id="connection" role="status"><noscript>Without scripts this page shows the moment at which it was loaded.</noscript></p>
</div>
</header>
<main class="wide">
<form action="/" role="search">
<label for="q">Search instances</label>
<input id="q" name="q" type="search" value="${query.q}" maxlength="200" placeholder="service, id, address, contract, zone, metadata" autocomplete="off" spellcheck="false">
<label for="status">Status</label>
<select id="status" name="status"><option value="">any</option>${instanceStatuses.map((status) => option(status, query))}</select>
${query.service !== '' && html`<input type="hidden" name="service" value="${query.service}">`}
<button>Search</button>
${writeStatusQuery(query) !== '' && html`<a class="clear" href="/">Show everything</a>`}
</form>
${statusView(overview, query)}
</main>
<footer class="wide"><p>The same as JSON: <a href="/v1/status${writeStatusQuery(query)}">/v1/status</a></p></footer>
</body>
</html>
`.text;
}

/** The parts of the page that change, as one element each: what is pushed to a page that is open. */
export function statusView(overview: Overview, query: StatusQuery): Html {
  const { instances, services, watchers, byStatus, matchingInstances, matchingServices, page, pages } = overview;
  const others = instanceStatuses.filter((status) => status !== 'up' && (byStatus[status] ?? 0) > 0);
  return html`<section id="numbers" aria-label="Numbers">
<dl class="tiles"><div><dt>Instances</dt><dd>${instances.toLocaleString('en-US')}</dd></div>
<div><dt>Up</dt><dd>${(byStatus.up ?? 0).toLocaleString('en-US')}</dd></div>
<div><dt>Services</dt><dd>${services.toLocaleString('en-US')}</dd></div>
<div><dt>Watchers</dt><dd>${watchers.toLocaleString('en-US')}</dd></div>
<div class="state ${stateOf(overview)}"><dt>State</dt><dd>${stateWords(overview)}</dd></div></dl>
${others.length > 0 && html`<p class="small">${others.map((status, n) => html`${n > 0 && ', '}${byStatus[status]} ${status}`)}</p>`}
</section>
<section id="notices" aria-label="Notices">${notices(overview, query)}</section>
${overview.peers.length > 0 && html`<section id="peers" aria-labelledby="peers-title"><h2 id="peers-title">Peers</h2>${peerList(overview.peers)}</section>`}
<div class="columns">
<section id="services" aria-labelledby="services-title"><h2 id="services-title">${counted(matchingServices, 'service')}</h2>${serviceList(overview, query)}</section>
<section id="instances" aria-labelledby="instances-title"><h2 id="instances-title">${counted(matchingInstances, 'instance')}${
    query.service !== '' && html` of <bdi>${query.service}</bdi>`
  }</h2>
${instanceTable(overview)}${pages > 1 && pager(page, pages, query)}</section>
</div>
<section id="changes" aria-labelledby="changes-title"><h2 id="changes-title">Recent changes</h2>${changeList(overview.changes)}
<p class="small">Cursor <code>${overview.cursor}</code></p></section>`;
}

function pager(page: number, pages: number, query: StatusQuery): Html {
  const to = (wanted: number, words: string): Html =>
    wanted < 1 || wanted > pages
      ? html`<span aria-disabled="true">${words}</span>`
      : html`<a href="/${writeStatusQuery(query, { page: wanted })}">${words}</a>`;
  return html`<nav class="pager" aria-label="Pages">${to(page - 1, 'Previous')}<span>page ${page} of ${pages}</span>${to(page + 1, 'Next')}</nav>`;
}

function option(status: InstanceStatus, query: StatusQuery): Html {
  return html`<option value="${status}"${query.status === status && html` selected`}>${status}</option>`;
}

function stateOf({
  saving,
  engine,
  preserved,
  conflicts,
  broken,
  warming,
}: Overview): 'bad' | 'warn' | 'calm' | 'good' {
  if (saving.failing || engine?.state === 'away') return 'bad';
  if (preserved.length > 0 || conflicts.length > 0 || broken.length > 0) return 'warn';
  return warming ? 'calm' : 'good';
}

function stateWords(overview: Overview): string {
  const { saving, engine, preserved, conflicts, broken, warming } = overview;
  if (engine?.state === 'away') return 'without its engine';
  if (saving.failing) return 'not saved';
  if (preserved.length > 0) return 'eviction paused';
  if (broken.length > 0) return 'callers may fail';
  if (conflicts.length > 0) return 'contracts differ';
  return warming ? 'warming up' : 'serving';
}
