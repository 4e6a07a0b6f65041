import { formatHostPort, type InstanceStatus } from '@flotilla/core';
import type { Change } from '../lease/change.ts';
import type { PeerState } from '../server/peer-state.ts';
import { type Html, html } from './html.ts';
import type { InstanceOverview, Overview, ServiceOverview } from './overview.ts';
import { type StatusQuery, writeStatusQuery } from './query.ts';
import { counted, duration, instantText } from './words.ts';

/** A status in its colour and in words: never by colour alone. */
export function statusMark(status: InstanceStatus): Html {
  return html`<span class="mark ${status}"><i aria-hidden="true"></i>${status}</span>`;
}

/** A time that the page's script counts on. */
export function ago(ms: number): Html {
  return html`<span data-ago="${Math.max(0, Math.round(ms))}">${duration(Math.max(0, ms))}</span>`;
}

/** What somebody may have to do something about, the worst first. */
export function notices(
  { warming, saving, engine, peers, preserved, conflicts, broken, unreachable }: Overview,
  query: StatusQuery,
): Html {
  return html`${
    engine &&
    engine.state !== 'together' &&
    html`<div class="notice bad"><h3>The engine cannot be reached</h3><p><bdi>${engine.name}</bdi>, since ${time(engine.since)}:
      ${engine.reason ?? 'no answer yet'}. The last known state is served and nobody is evicted. Of
      ${counted(engine.unsynced, 'instance')} this node alone knows the latest; it is written once the engine is back.</p></div>`
  }${
    saving.failing &&
    html`<div class="notice bad"><h3>The state is not saved</h3><p>Since ${time(saving.failing.since)}: ${saving.failing.reason}.
      The registry goes on in memory and tries again every five seconds; the last saved state is untouched. What changed
      since is lost if it stops now: instances then register again within a renewal.</p></div>`
  }${peers.map(withheldNotice)}${unreachable.map(
    ({ service, id, address, reason, hint }) =>
      html`<div class="notice warn"><h3>Cannot be reached: <bdi>${id}</bdi> of <bdi>${service}</bdi></h3><p><bdi>${address}</bdi>:
      ${reason}: ${hint}. It is listed as starting until a connection comes about; it is tried again every few seconds.</p></div>`,
  )}${preserved.map((service) => preservationNotice(service, query))}${conflicts.map(
    ({ kind, name, detail }) =>
      html`<div class="notice warn"><h3>${kind === 'contract' ? 'Hashes differ' : 'One name, two applications'}: <bdi>${name}</bdi></h3><p>${detail}.</p></div>`,
  )}${broken.map(
    ({ name, version, provider, caller, reasons }) =>
      html`<div class="notice warn"><h3>A caller may fail: <bdi>${name} v${version}</bdi></h3><p><bdi>${provider.service}</bdi> does not keep what <bdi>${caller.service}</bdi>
      relies on: ${reasons[0]?.detail ?? ''}${reasons.length > 1 ? `, and ${reasons.length - 1} more` : ''}.</p></div>`,
  )}${
    warming &&
    html`<div class="notice calm"><h3>Warming up</h3><p>This registry came up without a saved state a short while ago.
      Until one lease has passed, callers add what it lists to what they know, and remove nothing.</p></div>`
  }`;
}

function withheldNotice({ url, withholds }: PeerState): Html | undefined {
  if (!withholds) return undefined;
  const { since, service, id } = withholds;
  return html`<div class="notice bad"><h3>A peer keeps renewals to itself: <bdi>${url}</bdi></h3><p>Since ${time(since)}: <bdi>${id}</bdi> of
    <bdi>${service}</bdi>, among others, was renewed there and not here, so those leases end here. List this registry in that server's
    <code>eureka.client.service-url.defaultZone</code>, where users are set with one of the role peer, and restart it.</p></div>`;
}

function preservationNotice({ service, preservation }: ServiceOverview, query: StatusQuery): Html | undefined {
  if (!preservation) return undefined;
  const { expected, lapsed, recentlyEvicted, limit, neededRenewals, since, reason } = preservation;
  const numbers: readonly (readonly [string, Html | number])[] = [
    ['expected', expected],
    ['silent', lapsed],
    ['evicted within a minute', recentlyEvicted],
    ['limit', limit],
    ['renewals that end it', neededRenewals],
    ['since', time(since)],
  ];
  return html`<div class="notice warn"><h3>Eviction is paused for <a href="/${writeStatusQuery(query, { service, page: 1 })}"><bdi>${service}</bdi></a></h3>
<p>${reason}.</p><dl class="numbers">${numbers.map(([name, value]) => html`<div><dt>${name}</dt><dd>${value}</dd></div>`)}</dl></div>`;
}

/** The registries that this one replicates with, each in one line. */
export function peerList(peers: readonly PeerState[]): Html {
  return html`<ul>${peers.map(
    ({ url, kind, reachable, queued, lost, lastSuccessAt, lastComparedAt, lastError }) =>
      html`<li><bdi>${url}</bdi> <span class="tag ${reachable ? 'calm' : 'warn'}">${peerWords(kind, reachable)}</span>
<span class="small">${counted(queued, 'task')} waiting${lost > 0 && html`, ${lost} lost`}${lastSuccessAt !== undefined && html`, answered ${time(lastSuccessAt)}`}${
        lastComparedAt !== undefined && html`, compared ${time(lastComparedAt)}`
      }</span>${lastError && html`<span class="small">last error ${time(lastError.at)}: ${lastError.reason}</span>`}</li>`,
  )}</ul>`;
}

function peerWords(kind: PeerState['kind'], reachable: boolean): string {
  if (kind === 'self') return 'this registry itself';
  if (!reachable) return 'does not answer';
  return kind === 'eureka' ? 'a Java server' : 'answers';
}

/** The services that fit, each with a bar of its states. */
export function serviceList({ serviceList: services, matchingServices }: Overview, query: StatusQuery): Html {
  if (services.length === 0) return html`<p class="empty">No service fits.</p>`;
  const unseen = matchingServices - services.length;
  return html`<ul class="services">${services.map((service) => serviceItem(service, query))}</ul>${
    unseen > 0 && html`<p class="more">and ${counted(unseen, 'more service')}: search to narrow the list</p>`
  }`;
}

/** One page of instances. */
export function instanceTable({ instanceList }: Overview): Html {
  if (instanceList.length === 0) return html`<p class="empty">No instance is registered here.</p>`;
  return html`<table class="instances"><caption class="unseen">Instances and their leases</caption>
<thead><tr><th scope="col">Instance</th><th scope="col">Status</th><th scope="col">Addresses</th><th scope="col">Contracts</th><th scope="col">Lease</th></tr></thead>
<tbody>${instanceList.map(instanceRow)}</tbody></table>`;
}

export function changeList(changes: readonly Change[]): Html {
  if (changes.length === 0) return html`<p class="empty">Nothing has changed since this start.</p>`;
  return html`<ol class="changes">${changes.map(
    ({ changedAt, service, id, reason, after }) =>
      html`<li class="${reason}"><span class="when">${time(changedAt)}</span> <b>${reason}</b> <bdi class="id">${id}</bdi> of <bdi>${service}</bdi>${
        after && html` ${statusMark(after.override ?? after.status)}`
      }</li>`,
  )}</ol>`;
}

function serviceItem(
  { service, instances, byStatus, lapsed, preservation }: ServiceOverview,
  query: StatusQuery,
): Html {
  const up = byStatus.up ?? 0;
  return html`<li${query.service === service && html` class="chosen"`}><a href="/${writeStatusQuery(query, { service, page: 1 })}"><bdi>${service}</bdi></a>
<span class="count">${up} of ${instances} up</span>
<meter min="0" max="${instances}" value="${up}" aria-label="${up} of ${instances} up"></meter>${
    preservation && html`<span class="tag warn">eviction paused</span>`
  }${lapsed > 0 && html`<span class="tag warn">${lapsed} silent</span>`}</li>`;
}

function instanceRow({ lease, service, status, silentMs, lapsesInMs }: InstanceOverview): Html {
  const { id, override, status: own, addresses, contracts, zone, weight } = lease.instance;
  return html`<tr><th scope="row"><bdi class="id">${id}</bdi><span class="of">of <bdi>${service}</bdi></span>${details(lease.instance)}</th>
<td data-label="Status">${statusMark(status)}${override && html`<span class="small">by an operator; itself ${own}</span>`}</td>
<td data-label="Addresses">${addresses.map(
    (address) => html`<span class="address">${address.protocol}://<bdi>${formatHostPort(address)}</bdi></span>`,
  )}${addresses.length === 0 && html`<span class="small">none</span>`}${zone && html`<span class="small">zone <bdi>${zone}</bdi></span>`}${
    weight !== 1 && html`<span class="small">weight ${weight}</span>`
  }</td>
<td data-label="Contracts">${contracts
    .slice(0, mostContracts)
    .map(({ name, version }) => html`<span class="contract"><bdi>${name}</bdi> v${version}</span>`)}${
    contracts.length > mostContracts && html`<span class="small">and ${contracts.length - mostContracts} more</span>`
  }${contracts.length === 0 && html`<span class="small">none</span>`}</td>
<td data-label="Lease"><span>heard ${ago(silentMs)} ago</span>${leaseWords(lapsesInMs)}<span class="small">registered ${ago(silentMs + lease.renewedAt - lease.registeredAt)} ago</span></td></tr>`;
}

const mostContracts = 8;
const mostEntries = 16;
const longestValue = 160;

function leaseWords(lapsesInMs: number | undefined): Html {
  if (lapsesInMs === undefined) return html`<span class="small">without a lease</span>`;
  if (lapsesInMs <= 0) return html`<span class="tag warn">silent: lapsed ${ago(-lapsesInMs)} ago</span>`;
  return html`<span class="small">lapses in <span data-left="${lapsesInMs}">${duration(lapsesInMs)}</span></span>`;
}

function details({
  id,
  identity,
  metadata,
  contracts,
  incarnation,
  startedAt,
}: InstanceOverview['lease']['instance']): Html {
  const entries = Object.entries(metadata);
  const shown = entries.slice(0, mostEntries);
  return html`<details data-key="${identity.service} ${id}"><summary>${counted(entries.length, 'entry', 'entries')} of metadata</summary>
<dl class="metadata">${shown.map(([key, value]) => html`<div><dt><bdi>${key}</bdi></dt><dd><bdi>${shorten(value)}</bdi></dd></div>`)}${contracts
    .slice(0, mostContracts)
    .map(
      ({ name, version, hash }) =>
        html`<div><dt><bdi>${name}</bdi> v${version}</dt><dd><bdi>${hash === '' ? 'without a hash' : hash}</bdi></dd></div>`,
    )}
<div><dt>incarnation</dt><dd>${incarnation}</dd></div>${startedAt !== undefined && html`<div><dt>started</dt><dd>${time(startedAt)}</dd></div>`}</dl>${
    entries.length > shown.length &&
    html`<p class="small">${counted(entries.length - shown.length, 'more entry', 'more entries')} in /v1/instances</p>`
  }</details>`;
}

/** An instant that no calendar has is shown as the number that it is. */
function time(wallAt: number): Html {
  if (!(Math.abs(wallAt) <= 8_640_000_000_000_000)) return html`${wallAt}`;
  return html`<time datetime="${new Date(wallAt).toISOString()}">${instantText(wallAt)}</time>`;
}

function shorten(text: string): string {
  return text.length > longestValue ? `${text.slice(0, longestValue)}…` : text;
}
