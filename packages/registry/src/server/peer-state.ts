/** A registry that this one replicates with, as an operator sees it. Instants are wall time in epoch milliseconds. */
export interface PeerState {
  /** Without credentials. */
  readonly url: string;
  /** `unknown`: it has not answered yet. `self`: it is this registry itself, and left out. */
  readonly kind: 'unknown' | 'flotilla' | 'eureka' | 'self';
  /** Whether its last answer came. */
  readonly reachable: boolean;
  /** Tasks that wait for it. */
  readonly queued: number;
  /** Tasks that it never got: they expired, or the queue was full. The comparison makes up for them. */
  readonly lost: number;
  /** Absent: never. */
  readonly lastSuccessAt?: number;
  /** When all that is listed was last found equal, or made so. Absent: never. */
  readonly lastComparedAt?: number;
  /**
   * It hears renewals that do not come here, so the leases of those instances end here; one of them. A Java server does so
   * which does not list this registry among its own peers, or whose user may not replicate. Absent: none is known to be missed.
   */
  readonly withholds?: { readonly since: number; readonly service: string; readonly id: string };
  readonly lastError?: { readonly at: number; readonly reason: string };
}
