import { type Clock, FlotillaError, type Random, type Timer, toFlotillaError } from '@flotilla/core';
import { failure } from './failures.ts';
import type { LineListener, LineStream } from './gateway.ts';
import { type EtcdEvent, type EtcdKeys, type Json, keysField, readWatchMessage, record } from './messages.ts';

/** Who hears a watch. None of these may throw. */
export interface EtcdWatchListener {
  /** Changes in their order; `revision` is the last of them. */
  events(events: readonly EtcdEvent[], revision: number): void;
  /** What would have to be told is compacted: the watch is over; list anew, then watch from there. */
  compacted(): void;
  /** A member serves the watch; nothing was lost since the last one did. */
  armed?(): void;
  /** It is served by nobody at the moment; it goes on trying. Comes once until `armed`. */
  interrupted?(reason: FlotillaError): void;
}

/** What an {@link EtcdWatch} needs. */
export interface EtcdWatchParts {
  readonly clock: Clock;
  readonly random: Random;
  readonly idleProbeMs: number;
  readonly keys: EtcdKeys;
  readonly fromRevision: number | undefined;
  readonly listener: EtcdWatchListener;
  readonly open: (fields: Json, listener: LineListener) => Promise<{ endpoint: string; stream: LineStream }>;
  /** Rejects when that member does not answer. */
  readonly probe: (endpoint: string) => Promise<void>;
  readonly failed: (endpoint: string, error: unknown) => void;
  readonly closed: () => void;
}

const shortestWaitMs = 50;
const longestWaitMs = 2_000;
/** A member that does not open a watch within this is asked whether it lives. */
const openMs = 2_000;

/**
 * One watch, over as many streams as it takes.
 *
 * | state | exits |
 * |---|---|
 * | opening | the server says `created` → armed; failed → waiting |
 * | armed | a message, or silence and then an answer to a probe → armed; broken → waiting; compacted → closed |
 * | waiting: a jittered back-off from 50 ms to 2 s | over → opening, from the last revision + 1 |
 * | closed | none |
 */
export class EtcdWatch {
  readonly #parts: EtcdWatchParts;
  #next: number | undefined;
  #stream: LineStream | undefined;
  #endpoint = '';
  #timer: Timer | undefined;
  #failures = 0;
  #interrupted = false;
  #closed = false;
  /** Streams so far: what comes from an older one is not heard. */
  #generation = 0;

  constructor(parts: EtcdWatchParts) {
    this.#parts = parts;
    this.#next = parts.fromRevision;
  }

  start(): void {
    void this.#open();
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#generation++;
    this.#timer?.cancel();
    this.#stream?.close();
    this.#parts.closed();
  }

  async #open(): Promise<void> {
    const generation = ++this.#generation;
    const current = (): boolean => generation === this.#generation;
    const listener: LineListener = {
      line: (text) => current() && this.#hear(text),
      ended: (reason) => current() && this.#broken(reason),
    };
    const create = {
      ...keysField(this.#parts.keys),
      ...(this.#next === undefined ? undefined : { start_revision: String(this.#next) }),
      progress_notify: true,
    };
    try {
      const { endpoint, stream } = await this.#parts.open({ create_request: create }, listener);
      if (!current()) return stream.close();
      this.#endpoint = endpoint;
      this.#stream = stream;
      this.#armProbe(openMs);
    } catch (error) {
      if (current()) this.#broken(toFlotillaError(error));
    }
  }

  #hear(text: string): void {
    try {
      const line = record(JSON.parse(text), 'a message of a watch');
      if (line['error'] !== undefined) throw failure(this.#endpoint, '/v3/watch', line);
      this.#take(record(line['result'], 'result'));
    } catch (error) {
      this.#stream?.close();
      this.#broken(toFlotillaError(error));
    }
  }

  #take(result: Json): void {
    const { created, cancelled, revision, events } = readWatchMessage(result);
    this.#armProbe();
    if (cancelled) this.#cancelled(cancelled);
    else if (created) this.#created(revision);
    else this.#tell(events, revision);
  }

  #created(revision: number): void {
    this.#next ??= revision + 1;
    this.#failures = 0;
    this.#interrupted = false;
    this.#parts.listener.armed?.();
  }

  #tell(events: readonly EtcdEvent[], revision: number): void {
    // A message without events tells how far the store is, and that everything up to there was told (progress).
    const last = events.at(-1)?.modRevision ?? revision;
    this.#next = Math.max(this.#next ?? 0, last + 1);
    if (events.length > 0) this.#parts.listener.events(events, last);
  }

  #cancelled({ compactRevision, reason }: { compactRevision: number; reason: string }): void {
    if (compactRevision === 0) {
      const detail = `etcd at ${this.#endpoint} ended a watch: ${reason || 'no reason given'}`;
      throw new FlotillaError('UNAVAILABLE', detail);
    }
    this.close();
    this.#parts.listener.compacted();
  }

  #broken(reason: FlotillaError): void {
    this.#generation++;
    this.#stream = undefined;
    this.#parts.failed(this.#endpoint, reason);
    if (!this.#interrupted) this.#parts.listener.interrupted?.(reason);
    this.#interrupted = true;
    const ceiling = Math.min(longestWaitMs, shortestWaitMs * 2 ** Math.min(this.#failures++, 10));
    const waitMs = ceiling * (0.5 + this.#parts.random() / 2);
    this.#setTimer(waitMs, () => void this.#open());
  }

  #armProbe(silentMs: number = this.#parts.idleProbeMs): void {
    const { probe } = this.#parts;
    const generation = this.#generation;
    this.#setTimer(silentMs, () => {
      probe(this.#endpoint).then(
        () => generation === this.#generation && this.#armProbe(),
        (error: unknown) => {
          if (generation !== this.#generation) return;
          this.#stream?.close();
          this.#broken(toFlotillaError(error));
        },
      );
    });
  }

  #setTimer(waitMs: number, fire: () => void): void {
    this.#timer?.cancel();
    if (!this.#closed) this.#timer = this.#parts.clock.setTimer(waitMs, fire, { background: true });
  }
}
