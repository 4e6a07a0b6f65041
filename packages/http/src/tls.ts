/**
 * The one TLS configuration of a process: for what it listens on and for whom it calls. Files are PEM; paths are relative to
 * the working directory.
 */
export interface TlsOptions {
  /** The process's certificate, followed by the intermediate ones. A listener needs it; a client shows it when asked. */
  readonly cert?: string | undefined;
  /** The private key to {@link cert}, not encrypted. Only its owner and its group may read it. */
  readonly key?: string | undefined;
  /** Certificates of the authorities that others' certificates are verified by. Default: those that Node brings. */
  readonly ca?: string | undefined;
  /**
   * Whether a listener asks its clients for a certificate, verified by {@link ca}. `optional`: who shows none, or one that
   * does not verify, has none; `require`: its first request is answered with 401, and the connection ends. Default `none`.
   */
  readonly clientAuth?: 'none' | 'optional' | 'require' | undefined;
  /** Default `TLSv1.2`. */
  readonly minVersion?: 'TLSv1.2' | 'TLSv1.3' | undefined;
}
