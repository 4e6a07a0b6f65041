import { createRequire } from 'node:module';
import type { LookupFunction } from 'node:net';
import type { buildConnector } from 'undici';
import { contextOf } from './handshakes.ts';
import type { TlsFiles } from './tls-files.ts';

/** Of the library's parts alone, for the reason that `pool.ts` gives. */
const build: typeof buildConnector = createRequire(import.meta.url)('undici/lib/core/connect.js');

/** What of a connection is not a matter of TLS. */
export interface ConnectorOptions {
  readonly timeout: number;
  readonly lookup?: LookupFunction;
}

/** Opens connections with what the files hold now; a session from before a reload is not resumed. */
export function connector(tls: TlsFiles, options: ConnectorOptions): buildConnector.connector {
  let version: number | undefined;
  let connect: buildConnector.connector | undefined;
  return (target, done) => {
    if (!connect || version !== tls.version) {
      version = tls.version;
      connect = build({ ...contextOf(tls), ...options, allowH2: false } as buildConnector.BuildOptions);
    }
    connect(target, done);
  };
}
