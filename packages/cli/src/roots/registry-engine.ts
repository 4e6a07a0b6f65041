import type { Clock, Random } from '@flotilla/core';
import { type LeaseEngine, openLeaseEngine } from '@flotilla/registry/server';
import { readPem } from '../engines/pem.ts';
import type { RegistryConfig } from './registry-settings.ts';

/** The engine that the registry is told to share. @throws FlotillaError CONFIG_INVALID */
export async function engineOf(
  { engine, engineUser, enginePassword, engineTls }: RegistryConfig,
  parts: { readonly clock: Clock; readonly random: Random },
): Promise<LeaseEngine | undefined> {
  if (engine === '') return undefined;
  const { caFile, certFile, keyFile } = engineTls;
  const [ca, cert, key] = await Promise.all([
    readPem('registry.engineTls.caFile', caFile),
    readPem('registry.engineTls.certFile', certFile),
    readPem('registry.engineTls.keyFile', keyFile),
  ]);
  return openLeaseEngine(engine, {
    ...parts,
    user: engineUser === '' ? undefined : engineUser,
    password: enginePassword,
    ...(ca || cert || key ? { tls: { ca, cert, key } } : undefined),
  });
}
