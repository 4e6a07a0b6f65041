import { createHash, timingSafeEqual } from 'node:crypto';
import { FlotillaError, type Secret } from '@flotilla/core';
import { isLoopback } from '@flotilla/http';

/** Who may use the management port, by HTTP Basic (RFC 7617). */
export interface ManagementCredentials {
  readonly user: string;
  readonly password: Secret;
}

/**
 * Refuses to show management to others without credentials.
 * @param host that the management port binds to.
 * @throws FlotillaError CONFIG_INVALID naming the keys to set.
 */
export function assertManagementExposure(host: string, credentials: ManagementCredentials | undefined): void {
  if (credentials && credentials.password.reveal().length < 12) {
    throw new FlotillaError('CONFIG_INVALID', 'the password of the management port must have at least 12 characters');
  }
  if (credentials?.user.includes(':') || credentials?.user === '') {
    throw new FlotillaError('CONFIG_INVALID', 'the user of the management port must not be empty or hold a colon');
  }
  if (isLoopback(host) || credentials) return;
  throw new FlotillaError(
    'CONFIG_INVALID',
    `the management port binds to "${host}", which others can reach, and has no credentials; ` +
      'set management.user and management.password, or bind it to 127.0.0.1',
  );
}

/**
 * Compares an `authorization` field with the credentials in constant time. A missing field, another scheme, an unknown
 * user and a wrong password take one path.
 */
export function matchesBasic(field: string | undefined, { user, password }: ManagementCredentials): boolean {
  const [, encoded = ''] = /^Basic +([A-Za-z0-9+/=]{1,1024})$/i.exec(field ?? '') ?? [];
  const given = digest(Buffer.from(encoded, 'base64'));
  return timingSafeEqual(given, digest(Buffer.from(`${user}:${password.reveal()}`)));
}

function digest(bytes: Uint8Array): Uint8Array {
  return createHash('sha256').update(bytes).digest();
}

/**
 * The names by which a browser on this machine may have been led here (DNS rebinding): those of the loopback, the bound
 * host and those that were allowed. An address cannot be rebound, so a port that is bound to all of them takes any.
 */
export function hostAllowed(authority: string, boundHost: string, allowedHosts: readonly string[]): boolean {
  const [, host = ''] = /^(\[[0-9a-f:.%]+\]|[^:@/]+)(?::\d{1,5})?$/i.exec(authority) ?? [];
  const bare = host.toLowerCase().replace(/^\[|\]$/g, '');
  if (bare === '') return false;
  const known = ['localhost', '127.0.0.1', '::1', boundHost, ...allowedHosts];
  if (known.some((name) => name.toLowerCase().replace(/^\[|\]$/g, '') === bare)) return true;
  const bindsAll = boundHost === '0.0.0.0' || boundHost === '::' || boundHost === '[::]';
  return bindsAll && (/^\d{1,3}(\.\d{1,3}){3}$/.test(bare) || bare.includes(':'));
}
