/** What a component knows of itself. */
export interface HealthState {
  readonly ready: boolean;
  /** For an operator: what is missing. */
  readonly reason?: string;
}

/** A component's part in readiness. */
export interface HealthCheck {
  /** Unique in the process: `registry`, `database`. */
  readonly name: string;
  /** The state as it is known now. Must answer at once: whoever needs to ask elsewhere does so by itself and keeps the answer. */
  check(): HealthState;
}

/** Why a process may or may not receive traffic. */
export interface Readiness {
  readonly ready: boolean;
  readonly draining: boolean;
  readonly checks: readonly ({ readonly name: string } & HealthState)[];
}

/** Should it be restarted? */
export interface Liveness {
  readonly live: boolean;
  readonly reason?: string;
}

/** Liveness and readiness of one process. */
export interface Health {
  /**
   * Adds a check. Only what blocks all work belongs here: a dependency that some requests can do without does not.
   * @returns takes it back.
   * @throws TypeError when the name is taken.
   */
  register(check: HealthCheck): () => void;
  readiness(): Readiness;
  liveness(): Liveness;
  /** Not ready from now on: the process finishes what it has and leaves. */
  drain(): void;
  /** Not live from now on: only a restart helps. The first reason stays. */
  fail(reason: string): void;
}

/** Live and ready until something says otherwise. */
export function createHealth(): Health {
  const checks = new Map<string, HealthCheck>();
  let draining = false;
  let failure: string | undefined;
  return Object.freeze({
    register(check: HealthCheck) {
      if (checks.has(check.name)) throw new TypeError(`a health check named "${check.name}" is already registered`);
      checks.set(check.name, check);
      return () => {
        if (checks.get(check.name) === check) checks.delete(check.name);
      };
    },
    readiness() {
      const states = [...checks.values()].map((check) => ({ name: check.name, ...stateOf(check) }));
      const ready = !draining && failure === undefined && states.every((state) => state.ready);
      return { ready, draining, checks: states };
    },
    liveness: () => (failure === undefined ? { live: true } : { live: false, reason: failure }),
    drain() {
      draining = true;
    },
    fail(reason: string) {
      failure ??= reason;
    },
  });
}

function stateOf(check: HealthCheck): HealthState {
  try {
    const { ready, reason } = check.check();
    return reason === undefined ? { ready } : { ready, reason };
  } catch {
    return { ready: false, reason: 'the check itself failed' };
  }
}
