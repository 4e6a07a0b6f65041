import type { Endpoint } from '@flotilla/core';
import type { HttpRequest, HttpResponse } from '@flotilla/http';
import { registryClient } from '@flotilla/registry/client';
import type { AnyContract } from '@flotilla/rpc';
import {
  type ConnectedClient,
  type ContractClientOptions,
  connectClient,
  type GenericClient,
  genericClient,
  textsOf,
} from 'flotilla';
import { fetchThrough } from '../fetch.ts';
import type { PartyRuntime, Up } from './party.ts';

/** Whoever calls from the test itself. */
export interface Caller {
  connect<C extends AnyContract>(contract: C, options: ContractClientOptions<C>): ConnectedClient<C>;
  generic(): GenericClient;
  fetch(at: { readonly host: string; readonly port: number }, path: string, init?: RequestInit): Promise<Response>;
}

/** @param registry where its clients look services up. */
export async function beginCaller(runtime: PartyRuntime, registry: string): Promise<Up<Caller>> {
  const discovery = registryClient({ urls: [registry], ...runtime });
  const clients: { close(): Promise<void> }[] = [];
  let generic: GenericClient | undefined;
  const endpoints = new Map<string, Endpoint<HttpRequest, HttpResponse>>();
  return {
    value: {
      connect(contract, options) {
        const connected = connectClient(contract, options, { ...runtime, resolver: discovery.resolver });
        clients.push(connected);
        return connected;
      },
      generic() {
        if (generic) return generic;
        generic = genericClient({
          ...runtime,
          resolver: discovery.resolver,
          texts: [textsOf(discovery)],
          warmingWaitMs: 0,
        });
        clients.push(generic);
        return generic;
      },
      async fetch({ host, port }, path, init) {
        const authority = `${host}:${port}`;
        const endpoint = endpoints.get(authority) ?? runtime.network.connect({ protocol: 'http', host, port });
        endpoints.set(authority, endpoint);
        return fetchThrough({ ...runtime, endpoint, authority }, path, init);
      },
    },
    async stop() {
      await Promise.all([...clients, ...endpoints.values()].map((open) => open.close()));
      await discovery.close();
    },
  };
}
