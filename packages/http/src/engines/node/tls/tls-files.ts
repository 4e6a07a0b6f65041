import { type Clock, type Gauge, type Logger, type Meter, nullLogger, nullMeter, type Timer } from '@flotilla/core';
import type { TlsOptions } from '../../../tls.ts';
import { readTls, type TlsMaterial, tlsFilesState } from './read-tls.ts';

/** What {@link openTls} needs. */
export interface TlsFilesOptions {
  readonly clock: Clock;
  readonly logger?: Logger;
  readonly meter?: Meter;
  /** How often the files are looked at. Default 10,000. */
  readonly checkEveryMs?: number;
}

const dayMs = 86_400_000;
/** How long before its end a certificate is a warning. */
const warnDays = 14;

/**
 * A TLS configuration in use. Files that change are read again: new connections get what they hold, open ones go on. What
 * cannot be used (half-written, of two halves that do not belong together, expired) is said, and what was before stays.
 *
 * Close it when the network that uses it is closed.
 */
export class TlsFiles {
  readonly options: TlsOptions;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #daysLeft: Gauge;
  readonly #checkEveryMs: number;
  #material: TlsMaterial;
  #state: string;
  #version = 1;
  #timer: Timer | undefined;
  #warned: '' | 'soon' | 'expired' | 'early' = '';
  #closed = false;

  /** Of {@link openTls}. */
  constructor(options: TlsOptions, material: TlsMaterial, state: string, needs: TlsFilesOptions) {
    this.options = options;
    this.#material = material;
    this.#state = state;
    this.#clock = needs.clock;
    this.#logger = needs.logger ?? nullLogger;
    this.#checkEveryMs = needs.checkEveryMs ?? 10_000;
    this.#daysLeft = (needs.meter ?? nullMeter)
      .gauge({
        name: 'flotilla_tls_certificate_days_left',
        help: 'Days until the certificate expires; below 0: it has',
      })
      .with({});
    this.#judgeTime();
    this.#arm();
  }

  /** What the files held when they could last be used. */
  get material(): TlsMaterial {
    return this.#material;
  }

  /** Rises with each reload. */
  get version(): number {
    return this.#version;
  }

  /** Looks at the files now. Never rejects. @returns whether what counts is another one. */
  async check(): Promise<boolean> {
    const state = await tlsFilesState(this.options);
    this.#judgeTime();
    if (state === this.#state) return false;
    this.#state = state;
    try {
      const fresh = await readTls(this.options);
      const problem = this.#timeProblem(fresh);
      if (problem !== undefined && this.#timeProblem(this.#material) === undefined)
        throw new Error(`the certificate in "${this.options.cert}" (tls.cert) ${problem}`);
      this.#material = fresh;
      this.#version++;
      this.#warned = '';
      this.#logger.info('TLS: changed files are used from now on', { cert: this.options.cert, ...this.#span() });
      this.#judgeTime();
      return true;
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : String(cause);
      this.#logger.error('TLS: changed files cannot be used; the ones before stay in use', { reason });
      return false;
    }
  }

  close(): void {
    this.#closed = true;
    this.#timer?.cancel();
  }

  #arm(): void {
    if (this.#closed) return;
    this.#timer = this.#clock.setTimer(this.#checkEveryMs, () => void this.check().then(() => this.#arm()), {
      background: true,
    });
  }

  /** An expired certificate is an alert, not a crash: a process that could not start would make it worse. */
  #judgeTime(): void {
    const { validTo } = this.#material;
    if (validTo === undefined) return;
    const daysLeft = (validTo - this.#clock.wallNow()) / dayMs;
    this.#daysLeft.set(daysLeft);
    const problem = this.#timeProblem(this.#material);
    const state = problem === undefined ? (daysLeft < warnDays ? 'soon' : '') : daysLeft <= 0 ? 'expired' : 'early';
    if (state === this.#warned) return;
    this.#warned = state;
    const facts = { cert: this.options.cert, ...this.#span() };
    if (state === 'soon') this.#logger.warn('TLS: the certificate expires soon: replace its file', facts);
    else if (problem !== undefined) this.#logger.error(`TLS: the certificate ${problem}: peers refuse it`, facts);
  }

  #timeProblem({ validFrom, validTo }: TlsMaterial): string | undefined {
    const now = this.#clock.wallNow();
    if (validTo !== undefined && now >= validTo) return `expired at ${new Date(validTo).toISOString()}`;
    if (validFrom !== undefined && now < validFrom) return `does not count before ${new Date(validFrom).toISOString()}`;
    return undefined;
  }

  #span(): { readonly validTo?: string } {
    const { validTo } = this.#material;
    return validTo === undefined ? {} : { validTo: new Date(validTo).toISOString() };
  }
}

/**
 * Reads a TLS configuration and follows its files.
 * @throws FlotillaError CONFIG_INVALID naming the setting, the file and what is wrong
 */
export async function openTls(options: TlsOptions, needs: TlsFilesOptions): Promise<TlsFiles> {
  const state = await tlsFilesState(options); // before they are read: a change between the two is not missed
  return new TlsFiles(options, await readTls(options), state, needs);
}
