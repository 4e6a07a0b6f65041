import { isDeepStrictEqual } from 'node:util';
import { FlotillaError, type Instance } from '@flotilla/core';
import { Catalogue, type ContractName } from '../catalogue/catalogue.ts';
import { ContractCensus, type ContractConflict } from '../contract-census.ts';
import type { RegistryLog } from './log.ts';
import type { RegistryMetrics } from './metrics.ts';

/** What the listed instances serve and call, kept up with every change; says what begins and what ends not to fit. */
export class ContractWatch {
  readonly catalogue: Catalogue = new Catalogue();
  readonly #census = new ContractCensus();
  readonly #log: RegistryLog;
  readonly #metrics: RegistryMetrics;
  /** How many of a contract do not fit, as it was said last. */
  readonly #broken = new Map<ContractName, number>();

  constructor(log: RegistryLog, metrics: RegistryMetrics) {
    this.#log = log;
    this.#metrics = metrics;
  }

  /** On what instances do not agree. Forms of a contract that are known to fit together agree. */
  get conflicts(): readonly ContractConflict[] {
    return this.#census.conflicts.filter(
      ({ kind, name }) => kind !== 'contract' || !this.catalogue.fits(name as ContractName),
    );
  }

  /** Takes the text of a contract in. */
  add(hash: string, source: string): void {
    this.#noteBroken(this.catalogue.add(hash, source));
  }

  /**
   * What runs already stays: only who comes new, or with other contracts, is judged.
   * @throws FlotillaError INVALID_INPUT (409) when present callers cannot use what it serves
   */
  judge(incoming: Instance, present: Instance | undefined): void {
    if (present && isDeepStrictEqual(present.contracts, incoming.contracts)) return;
    const objection = this.catalogue.objection(incoming);
    if (objection === undefined) return;
    throw new FlotillaError(
      'INVALID_INPUT',
      `instance "${incoming.id}" of "${incoming.identity.service}" is refused: ${objection}. Serve a form that they can use, ` +
        'a new version of the contract beside the old one, or change those callers first',
      { httpStatus: 409 },
    );
  }

  /** An instance is listed as `after` in place of `before`. */
  changed(before: Instance | undefined, after: Instance | undefined): void {
    const { began, ended } = this.#census.change(before, after);
    this.#noteBroken(this.catalogue.change(before, after));
    for (const conflict of began) this.#log.conflictBegan(conflict);
    for (const conflict of ended) this.#log.conflictEnded(conflict);
    if (began.length + ended.length > 0) this.#metrics.conflicts.set(this.conflicts.length);
  }

  /** Says what began and what ended. */
  #noteBroken(touched: ReadonlySet<ContractName>): void {
    for (const name of touched) {
      const broken = this.catalogue.broken(name);
      const [first] = broken;
      const known = this.#broken.get(name) ?? 0;
      if (first && broken.length > known) this.#log.contractBroken(name, first);
      if (!first && known > 0) this.#log.contractMended(name);
      if (first) this.#broken.set(name, broken.length);
      else this.#broken.delete(name);
    }
    if (touched.size === 0) return;
    this.#metrics.brokenContracts.set(this.#broken.values().reduce((sum, count) => sum + count, 0));
  }
}
