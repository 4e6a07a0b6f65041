import { type Clock, type Counter, type Family, type Logger, type Meter, nullLogger, nullMeter } from '@flotilla/core';
import type { Speaker } from './operations.ts';
import { RateTable } from './rate-table.ts';

/** One deed, or one that was refused. */
export interface AuditEntry {
  /** Wall time. */
  readonly at: number;
  /** Name of the principal; `unknown` for who did not prove to be one. */
  readonly who: string;
  readonly role: Speaker['role'] | 'unknown';
  /** From where. */
  readonly address: string;
  /** `override`, `evict`, `deregister`, … */
  readonly action: string;
  readonly outcome: 'done' | 'refused';
  /** What it was done to: `<service> <id>`, a path. */
  readonly target: string;
  readonly before?: string;
  readonly after?: string;
  /** Why it was refused: a code and its text. */
  readonly reason?: string;
  /** Refusals of this client before it that were counted only. */
  readonly unwritten?: number;
}

/** Port: where the lines of an audit log go. Must not throw. Engine: `auditFile`. */
export interface AuditSink {
  append(entry: AuditEntry): void;
  /** What was appended so far is written, or the sink has said why not. */
  close(): Promise<void>;
}

/** What an {@link AuditTrail} needs. */
export interface AuditOptions {
  readonly clock: Clock;
  /** Each entry is a line at `warn` (refused) or `info` (done). */
  readonly logger?: Logger;
  readonly meter?: Meter;
  readonly sink?: AuditSink;
  /** Entries kept in memory, for who asks. Default 200. */
  readonly keep?: number;
}

/** What a caller of {@link AuditTrail.record} says; what is absent is empty. */
export type Deed = Partial<Omit<AuditEntry, 'at' | 'unwritten'>> & Pick<AuditEntry, 'action' | 'outcome'>;

/** Longer texts are cut: everything in an entry may come from a stranger. */
const mostCharacters = 500;
/** Refusals of one address that are written: whoever knocks without end must not fill a disk. */
const refusals = Object.freeze({ perSecond: 0.2, burst: 20 });
const mostAddresses = 10_000;

/** Who did what to the registry, and who was not let. */
export class AuditTrail {
  readonly #options: AuditOptions;
  readonly #recent: AuditEntry[] = [];
  readonly #keep: number;
  readonly #refusals = new RateTable(mostAddresses);
  readonly #unwritten = new Map<string, number>();
  readonly #deeds: Family<Counter>;
  readonly #logger: Logger;

  constructor(options: AuditOptions) {
    this.#options = options;
    this.#keep = options.keep ?? 200;
    this.#logger = options.logger ?? nullLogger;
    this.#deeds = (options.meter ?? nullMeter).counter({
      name: 'flotilla_registry_audited_total',
      help: 'Deeds of operators, and what was refused',
      labels: ['outcome'],
    });
  }

  /** The last ones, the newest first. */
  get recent(): readonly AuditEntry[] {
    return this.#recent.toReversed();
  }

  record(deed: Deed): void {
    this.#deeds.with({ outcome: deed.outcome }).add();
    const address = deed.address ?? '';
    if (deed.outcome === 'refused' && this.#isTooMuch(address)) return;
    const unwritten = this.#unwritten.get(address) ?? 0;
    this.#unwritten.delete(address);
    const entry: AuditEntry = {
      at: this.#options.clock.wallNow(),
      who: tame(deed.who ?? 'unknown'),
      role: deed.role ?? 'unknown',
      address: tame(address),
      action: deed.action,
      outcome: deed.outcome,
      target: tame(deed.target ?? ''),
      ...(deed.before === undefined ? undefined : { before: tame(deed.before) }),
      ...(deed.after === undefined ? undefined : { after: tame(deed.after) }),
      ...(deed.reason === undefined ? undefined : { reason: tame(deed.reason) }),
      ...(unwritten > 0 ? { unwritten } : undefined),
    };
    this.#recent.push(entry);
    if (this.#recent.length > this.#keep) this.#recent.shift();
    const { at: _, ...fields } = entry;
    if (entry.outcome === 'refused') this.#logger.warn('audit: refused', fields);
    else this.#logger.info('audit: done', fields);
    this.#options.sink?.append(entry);
  }

  #isTooMuch(address: string): boolean {
    if (this.#refusals.take(address, refusals, this.#options.clock.now()) === 0) return false;
    if (this.#unwritten.has(address) || this.#unwritten.size < mostAddresses)
      this.#unwritten.set(address, (this.#unwritten.get(address) ?? 0) + 1);
    return true;
  }
}

/** Bounded, and one line: no control character, no line separator, no half of a surrogate pair. */
function tame(text: string): string {
  const cut = text.length > mostCharacters ? `${text.slice(0, mostCharacters)}…` : text;
  return cut.replace(/[\p{Cc}\p{Cs}\u2028\u2029\u202a-\u202e\u2066-\u2069]/gu, escaped);
}

function escaped(character: string): string {
  return `\\u${(character.codePointAt(0) ?? 0).toString(16).padStart(4, '0')}`;
}
