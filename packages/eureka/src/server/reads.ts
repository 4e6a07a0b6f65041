import { FlotillaError } from '@flotilla/core';
import type { HttpResponse } from '@flotilla/http';
import type { Lease } from '@flotilla/registry';
import { appsHashCode } from '../applications.ts';
import { writeInstance, writeList } from '../formats.ts';
import { listedVip } from '../instance.ts';
import { document } from './answers.ts';
import type { Answerer, Asked, EurekaContext } from './context.ts';
import { leaseAt } from './lease-at.ts';
import { listed, visible } from './listing.ts';
import { acceptsGzip, type DocumentType, listFormat } from './negotiation.ts';
import type { SharedText } from './shared-text.ts';

/** `GET apps`. */
export function everybody({ full }: EurekaContext, asked: Asked): Promise<HttpResponse> {
  const format = listFormat(asked.request.headers);
  return shared(full.text(format), format.mediaType, asked);
}

/** `GET apps/delta`. */
export function whatChanged({ delta, regionsDelta }: EurekaContext, asked: Asked): Promise<HttpResponse> {
  const format = listFormat(asked.request.headers);
  const namesRegions = (new URLSearchParams(asked.request.query).get('regions') ?? '') !== '';
  const listing = namesRegions ? regionsDelta : delta;
  return shared(listing.text(format, asked.call.clock.now()), format.mediaType, asked);
}

/** `GET apps/{app}`. */
export function application({ registry }: EurekaContext, { request, params }: Asked): HttpResponse {
  const app = (params.get('app') ?? '').toUpperCase();
  const leases = Array.from(registry.named(app)).filter((lease) => registry.find(app, lease.instance.id) === lease);
  if (leases.length === 0) throw new FlotillaError('NO_ROUTE', `no instance of the application "${app}" is registered`);
  const format = listFormat(request.headers);
  return document(
    format.application(
      app,
      leases.map((lease) => listed(lease)),
    ),
    format.mediaType,
  );
}

/** `GET apps/{app}/{id}`. */
export function instance({ registry }: EurekaContext, { params, type }: Asked): HttpResponse {
  return instanceDocument(leaseAt(registry, params), type);
}

/** `GET instances/{id}`: the first of all applications' instances with that id. */
export function instanceAnywhere({ registry }: EurekaContext, { params, type }: Asked): HttpResponse {
  const id = params.get('id');
  for (const lease of registry.list()) if (lease.instance.id === id) return instanceDocument(lease, type);
  throw new FlotillaError('NO_ROUTE', `no application has an instance "${id}"`);
}

/**
 * `GET vips/{vip}` and `svips/{vip}`: whoever has the address as a member of its list, letter for letter. Java writes -1:
 * no delta of this exists.
 */
export function ofVip(member: 'vipAddress' | 'secureVipAddress'): Answerer {
  return ({ registry }, { request, params }) => {
    const vip = params.get('vip') ?? '';
    const documents = visible(registry)
      .filter((lease) => listedVip(lease.instance, member)?.split(',').includes(vip))
      .map((lease) => listed(lease))
      .toArray();
    const format = listFormat(request.headers);
    const hashCode = appsHashCode(documents.map(({ status }) => status));
    return document(writeList(format, documents, { version: -1, hashCode }), format.mediaType);
  };
}

/** An instance by itself; there is no compact form of it. */
export function instanceDocument(lease: Lease, type: DocumentType, status = 200): HttpResponse {
  return document(writeInstance(listed(lease), type), type, status);
}

async function shared(text: SharedText, type: DocumentType, { request }: Asked): Promise<HttpResponse> {
  if (!acceptsGzip(request.headers)) return document(text.bytes, type);
  const response = document(await text.gzipped(), type);
  response.headers.set('content-encoding', 'gzip');
  return response;
}
