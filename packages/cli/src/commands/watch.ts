import { effectiveStatus, formatIdentity, type Instance } from '@flotilla/core';
import { decodeEvents } from '@flotilla/http';
import type { RegistryApi } from '../engines/registry-api.ts';
import { statusText } from './instances.ts';
import type { Output } from './output.ts';

/** What a registry's watch says of one instance. */
type Said =
  | { readonly kind: 'put'; readonly instance: Instance }
  | { readonly kind: 'gone'; readonly service: string; readonly id: string; readonly reason: string };

/** A snapshot of 100,000 instances fits. */
const maxEventBytes = 134_217_728;
/** After a watch broke off it is opened again this long later. */
const againMs = 1_000;

/** How a {@link watch} ends and waits. */
export interface WatchParts {
  readonly signal: AbortSignal;
  /** Resolves after that time, or when the signal says so. */
  readonly pause: (ms: number) => Promise<void>;
}

/**
 * Follows the registry until it is told to stop: a line for each instance that is there, then one for each change. With JSON
 * one document per line, `{"kind":"put","instance":…}` or `{"kind":"gone",…}`. A watch that breaks off goes on where it was.
 * @throws FlotillaError when the first answer is a refusal, or there is none
 */
export async function watch(
  api: RegistryApi,
  service: string | undefined,
  output: Output,
  { signal, pause }: WatchParts,
): Promise<void> {
  const known = new Map<string, Instance>();
  let cursor: string | undefined;
  for (let first = true; !signal.aborted; first = false) {
    const query = new URLSearchParams({
      as: 'observer', // whoever leaves need not wait for a person
      ...(service === undefined ? undefined : { service }),
      ...(cursor === undefined ? undefined : { cursor }),
    });
    try {
      const { body } = await api.open('GET', `watch?${query}`, undefined, {
        signal,
        headers: { accept: 'text/event-stream' },
      });
      for await (const event of decodeEvents(body ?? nothing, { maxEventBytes })) {
        if (event.id !== '') cursor = event.id;
        for (const said of read(event.event, event.data, known)) tell(said, known, output);
      }
    } catch (error) {
      if (signal.aborted) return;
      if (first) throw error;
    }
    if (!signal.aborted && !output.json) output.print('the watch broke off; going on');
    await pause(againMs);
  }
}

const nothing: AsyncIterable<Uint8Array> = { async *[Symbol.asyncIterator]() {} };

/** Of a snapshot: whoever is new or different, and whoever is gone since. */
function read(name: string, data: string, known: ReadonlyMap<string, Instance>): Said[] {
  if (name === 'change') return [JSON.parse(data) as Said];
  if (name !== 'snapshot') return [];
  const { instances } = JSON.parse(data) as { readonly instances: readonly Instance[] };
  const present = new Set(instances.map(keyOf));
  const gone = [...known.values()].filter((instance) => !present.has(keyOf(instance)));
  return [
    ...instances
      .filter((instance) => known.get(keyOf(instance))?.revision !== instance.revision)
      .map((instance): Said => ({ kind: 'put', instance })),
    ...gone.map(({ identity, id }): Said => ({ kind: 'gone', service: formatIdentity(identity), id, reason: 'gone' })),
  ];
}

function tell(said: Said, known: Map<string, Instance>, output: Output): void {
  const line = lineOf(said, known);
  if (said.kind === 'put') known.set(keyOf(said.instance), said.instance);
  else known.delete(`${said.service} ${said.id}`);
  output.print(output.json ? JSON.stringify(said) : line);
}

function lineOf(said: Said, known: ReadonlyMap<string, Instance>): string {
  if (said.kind === 'gone') return `- ${said.service} ${said.id} ${said.reason}`;
  const { instance } = said;
  const before = known.get(keyOf(instance));
  const name = `${formatIdentity(instance.identity)} ${instance.id}`;
  if (!before) return `+ ${name} ${statusText(instance)}`;
  const changed = effectiveStatus(before) !== effectiveStatus(instance) || before.override !== instance.override;
  return `~ ${name} ${changed ? `${statusText(before)} → ${statusText(instance)}` : 'says something else of itself'}`;
}

function keyOf({ identity, id }: Instance): string {
  return `${formatIdentity(identity)} ${id}`;
}
