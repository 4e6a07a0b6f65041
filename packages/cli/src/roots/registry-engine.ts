import { type Clock, FlotillaError, type Random } from '@flotilla/core';
import { type LeaseEngine, openLeaseEngine } from '@flotilla/registry/server';
import { readPem } from '../engines/pem.ts';
import type { RegistryConfig } from './registry-settings.ts';

/**
 * What nodes in front of an engine hear of each other is not passed on to peers, and a peer would bring back what they evicted.
 * @throws FlotillaError CONFIG_INVALID for both at once
 */
export function assertOneWay({ engine, peers }: Pick<RegistryConfig, 'engine' | 'peers'>): void {
  if (engine === '' || peers.length === 0) return;
  const detail =
    `registry.engine is set, and registry.peers names ${peers.length}: a registry has its instances in an engine or replicates ` +
    'with peers, not both. Nodes in front of one engine need no peers: take one of the two keys out';
  throw new FlotillaError('CONFIG_INVALID', detail);
}

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
