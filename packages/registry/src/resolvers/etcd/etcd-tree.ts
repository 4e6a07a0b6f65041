import { type Call, FlotillaError, formatIdentity, type Instance, identity, jittered } from '@flotilla/core';
import type { EtcdClient, EtcdWatch } from '../../engines/etcd/client.ts';
import { Contact } from '../contact.ts';
import type { Entry, EntryTable, Tree } from '../entry-table.ts';
import type { SourceLog } from '../log.ts';
import { Loop, type Moment } from '../loop.ts';
import { doubtMs, type Following } from '../source.ts';

/** What an {@link EtcdTree} needs. */
export interface EtcdTreeParts extends Moment {
  readonly client: EtcdClient;
  readonly log: SourceLog;
  /** Ends in `/`. */
  readonly prefix: string;
  /** The whole list is read again after this, ± 20 %: a restored etcd may have fewer revisions than we have seen. */
  readonly relistEveryMs: number;
}

const utf8 = new TextDecoder('utf-8', { fatal: true });

/**
 * Instances under `<prefix><service>/<id>`, both percent-encoded, as their JSON form. The prefix is ours: no other program
 * has a layout in etcd that fleets agree on.
 */
export class EtcdTree implements Tree {
  readonly #parts: EtcdTreeParts;
  readonly #contact: Contact;

  constructor(parts: EtcdTreeParts) {
    this.#parts = parts;
    this.#contact = new Contact(parts.log);
  }

  fill(service: string | undefined, table: EntryTable): Following {
    const prefix = service === undefined ? this.#parts.prefix : `${this.#parts.prefix}${encodeURIComponent(service)}/`;
    return new Loop(this.#parts, {
      step: async (call) => {
        const revision = await this.#list(prefix, table, call);
        return revision === undefined ? doubtMs : this.#watch(prefix, revision, table, call);
      },
      failed: (thrown) => this.#contact.failed(thrown),
    });
  }

  read(key: string, value: Uint8Array): unknown {
    const json = JSON.parse(utf8.decode(value)) as Partial<Instance> | null;
    const said = keyOf(this.#parts.prefix, json as Instance);
    if (said !== key)
      throw new FlotillaError('INVALID_INPUT', `it says of itself that it belongs at "${said.slice(0, 120)}"`);
    return json;
  }

  async close(): Promise<void> {}

  /** @returns the revision of the list; undefined when it is to be read again. */
  async #list(prefix: string, table: EntryTable, call: Call): Promise<number | undefined> {
    const { client } = this.#parts;
    const entries: Entry[] = [];
    let revision = 0;
    for await (const page of client.pages(prefix)) {
      call.throwIfCancelled();
      revision = page.revision;
      entries.push(...page.pairs);
    }
    call.throwIfCancelled();
    this.#contact.worked();
    return table.replace(entries) === 'doubted' ? undefined : revision;
  }

  /** Resolves when the list is to be read anew, with how long to wait before. */
  #watch(prefix: string, revision: number, table: EntryTable, call: Call): Promise<number> {
    const { client, clock, random, relistEveryMs, log } = this.#parts;
    return new Promise((resolve) => {
      const end = (): void => {
        leave?.();
        timer.cancel();
        watch.close();
        resolve(0);
      };
      const timer = clock.setTimer(jittered(relistEveryMs, random), end, { background: true });
      const watch: EtcdWatch = client.watch({ prefix }, revision + 1, {
        events: (events) => {
          table.change(events.map(({ kind, key, value }) => ({ key, value: kind === 'put' ? value : undefined })));
        },
        compacted: () => {
          log.restarted({ target: prefix, reason: 'etcd has forgotten the changes since' });
          end();
        },
        armed: () => this.#contact.worked(),
        interrupted: (reason) => this.#contact.failed(reason),
      });
      const leave = call.onCancel(end);
    });
  }
}

/** Where an instance is written. @throws FlotillaError INVALID_INPUT for what is none */
export function keyOf(prefix: string, instance: Pick<Instance, 'identity' | 'id'>): string {
  const { service, ...variant } = instance.identity ?? {};
  if (typeof service !== 'string' || typeof instance.id !== 'string') {
    throw new FlotillaError('INVALID_INPUT', 'it has no identity or no id');
  }
  // Groups and versions of one service stand under its name, and do not overwrite each other.
  const name = formatIdentity(identity(service, variant));
  const own = name === service ? instance.id : `${instance.id}@${name}`;
  return `${prefix}${encodeURIComponent(service)}/${encodeURIComponent(own)}`;
}
