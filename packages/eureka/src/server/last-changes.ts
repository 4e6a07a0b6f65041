import type { HttpResponse } from '@flotilla/http';
import type { Change } from '@flotilla/registry';
import type { Registry } from '@flotilla/registry/server';
import { escapeXml } from '../xml/write-xml.ts';
import { document, page } from './answers.ts';
import type { Asked, EurekaContext } from './context.ts';

/** As many of each kind as a Java server remembers. */
const mostShown = 1_000;

/** Who came and who went: an epoch and `APP(instanceId)`. */
type Entry = readonly [at: number, who: string];

/**
 * `GET lastn`: the last 1,000 that registered, and the last 1,000 that went or were evicted, each the newest first, as far
 * as the registry's changes reach back. A page for people; JSON for who accepts nothing else. An owner that registers again
 * without news is no event (a Java server counts it).
 */
export function lastChanges({ registry }: EurekaContext, { request }: Asked): HttpResponse {
  const { registered, canceled } = lastOf(registry);
  const wantsJson = /^application\/json(?:[\t ]*[,;]|$)/i.test(request.headers.get('accept') ?? '');
  if (wantsJson)
    return document(JSON.stringify({ lastRegistered: registered, lastCanceled: canceled }), 'application/json');
  return page(
    `<title>Last changes</title><h1>Last changes</h1>${table('Registered', registered)}${table('Canceled or evicted', canceled)}`,
  );
}

function lastOf(registry: Registry): { readonly registered: readonly Entry[]; readonly canceled: readonly Entry[] } {
  const changes = registry.recentChanges(Infinity).changes.toReversed();
  const chosen = (fits: (change: Change) => boolean): Entry[] => changes.filter(fits).slice(0, mostShown).map(entryOf);
  return { registered: chosen(({ reason }) => reason === 'registered'), canceled: chosen(({ after }) => !after) };
}

function entryOf({ before, after, id, changedAt }: Change): Entry {
  const app = (after ?? before)?.identity.service.toUpperCase();
  return [changedAt, `${app}(${id})`];
}

function table(caption: string, entries: readonly Entry[]): string {
  const rows = entries.map(([at, who]) => `<tr><td>${new Date(at).toISOString()}<td>${escapeXml(who)}`);
  return `<table><caption>${caption}: ${entries.length}</caption>${rows.join('')}</table>`;
}
