import type { Random } from '@flotilla/core';
import type { Frequency, LossMoment, Way } from './way.ts';

/** The faults of one direction between two names. */
export class Faults {
  readonly #random: Random;
  dropped = false;
  refused = false;
  delayMs = 0;
  jitterMs = 0;
  bytesPerSecond: number = Infinity;
  readonly losses: Map<LossMoment, Chance> = new Map<LossMoment, Chance>();
  resetAfterBytes: number | undefined;
  resets: Chance | undefined;

  constructor(random: Random) {
    this.#random = random;
  }

  chance(frequency: Frequency): Chance {
    return new Chance(frequency, this.#random);
  }

  heal(): void {
    this.dropped = false;
    this.refused = false;
    this.delayMs = 0;
    this.jitterMs = 0;
    this.bytesPerSecond = Infinity;
    this.losses.clear();
    this.resetAfterBytes = undefined;
    this.resets = undefined;
  }
}

/** Whether a fault strikes, drawn once for each request. */
export class Chance {
  readonly #share: number;
  readonly #random: Random;
  #left: number;

  constructor({ share = 1, times = Infinity }: Frequency, random: Random) {
    if (!(share >= 0 && share <= 1)) throw new RangeError(`share must be from 0 to 1, got ${share}`);
    if (!(times >= 0)) throw new RangeError(`times must be from 0 on, got ${times}`);
    this.#share = share;
    this.#left = times;
    this.#random = random;
  }

  strikes(): boolean {
    if (this.#left === 0 || (this.#share < 1 && this.#random() >= this.#share)) return false;
    this.#left--;
    return true;
  }
}

/** A way over one direction or both. @param changed is told after each change. */
export function wayOver(directions: readonly Faults[], changed: () => void): Way {
  const each = (change: (faults: Faults) => void): Way => {
    for (const faults of directions) change(faults);
    changed();
    return way;
  };
  const way: Way = {
    delay(delayMs, { jitterMs = 0 } = {}) {
      assertFrom0('delayMs', delayMs);
      assertFrom0('jitterMs', jitterMs);
      return each((faults) => Object.assign(faults, { delayMs, jitterMs }));
    },
    drop: () => each((faults) => Object.assign(faults, { dropped: true })),
    refuse: () => each((faults) => Object.assign(faults, { refused: true })),
    lose: (moment, frequency = {}) => each((faults) => faults.losses.set(moment, faults.chance(frequency))),
    reset({ afterBytes = 0, ...frequency } = {}) {
      assertFrom0('afterBytes', afterBytes);
      return each((faults) => Object.assign(faults, { resetAfterBytes: afterBytes, resets: faults.chance(frequency) }));
    },
    trickle({ bytesPerSecond }) {
      if (!(bytesPerSecond > 0)) throw new RangeError(`bytesPerSecond must be greater than 0, got ${bytesPerSecond}`);
      return each((faults) => Object.assign(faults, { bytesPerSecond }));
    },
    heal: () => void each((faults) => faults.heal()),
  };
  return way;
}

function assertFrom0(name: string, value: number): void {
  if (!(value >= 0 && value < Infinity)) throw new RangeError(`${name} must be a number from 0 on, got ${value}`);
}
