import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Clock, FlotillaError, formatHostPort } from '@flotilla/core';
import { readText } from '../../engines/pem-files.ts';
import type { ClusterCredentials, InCluster } from '../credentials.ts';

/** Where every pod with a service account finds it (Kubernetes documentation, "Accessing the API from a Pod"). */
export const serviceAccountFolder = '/var/run/secrets/kubernetes.io/serviceaccount';

/** Projected tokens are replaced when four fifths of their time is over; a minute later is soon enough. */
const rereadMs = 60_000;

/**
 * What a pod is told of its cluster.
 * @param env the process's environment: `KUBERNETES_SERVICE_HOST` and `KUBERNETES_SERVICE_PORT`.
 * @throws FlotillaError CONFIG_INVALID outside a cluster
 */
export function inCluster(
  env: Readonly<Record<string, string | undefined>>,
  clock: Clock,
  folder: string = serviceAccountFolder,
): InCluster {
  const [host, port = '443'] = [env['KUBERNETES_SERVICE_HOST'], env['KUBERNETES_SERVICE_PORT']];
  if (host === undefined || host === '') {
    throw new FlotillaError(
      'CONFIG_INVALID',
      'registry: "kubernetes:" stands for the cluster that this process runs in, and it runs in none ' +
        '(KUBERNETES_SERVICE_HOST is not set); write kubernetes+https://API-SERVER?token-file=…',
    );
  }
  const read = (name: string): string => readText(join(folder, name));
  return {
    url: `https://${formatHostPort({ host, port: Number(port) })}`,
    ca: read('ca.crt'),
    namespace: read('namespace').trim(),
    credentials: tokenFile(join(folder, 'token'), clock),
  };
}

/** A token in a file, read again every minute: a kubelet or an agent replaces it there. */
export function tokenFile(path: string, clock: Clock): ClusterCredentials {
  let known: { readonly token: string; readonly readAt: number } | undefined;
  return {
    async token() {
      if (known && clock.now() - known.readAt < rereadMs) return known.token;
      try {
        known = { token: (await readFile(path, 'utf8')).trim(), readAt: clock.now() };
      } catch (cause) {
        if (!known) throw new FlotillaError('STORE_FAILED', `the token file "${path}" cannot be read`, { cause });
      }
      return known.token;
    },
  } satisfies ClusterCredentials;
}
