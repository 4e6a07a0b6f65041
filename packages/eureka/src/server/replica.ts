/** Another server that changes are passed on to. */
export interface Replica {
  /** `http://registry-2:8761/eureka/`. */
  readonly url: string;
  /** Whether it could be reached last. */
  readonly isAvailable: boolean;
}
