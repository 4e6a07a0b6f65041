import {
  type Call,
  FlotillaError,
  formatIdentity,
  type Identity,
  identity,
  nearest,
  type Target,
} from '@flotilla/core';
import { HttpHeaders, type HttpRequest, type HttpResponse, parseJson, queryParameters, readBody } from '@flotilla/http';
import type { InstanceKey } from '../lease/lease-table.ts';

/** A registration with everything at its bounds is a third of this. */
const maxBodyBytes = 1_048_576;

/** The JSON document of a request. @throws FlotillaError UNSUPPORTED_MEDIA_TYPE, BODY_TOO_LARGE, MALFORMED_REQUEST */
export async function readJson({ headers, body }: HttpRequest, call: Call): Promise<unknown> {
  const type = headers.get('content-type') ?? '';
  if (!/^application\/(?:[a-z0-9.-]+\+)?json[\t ]*(?:;|$)/i.test(type)) {
    throw new FlotillaError(
      'UNSUPPORTED_MEDIA_TYPE',
      `the body has to be application/json, not "${type.slice(0, 80)}"`,
    );
  }
  return parseJson(await readBody(body, maxBodyBytes, call));
}

/**
 * The parameters behind the question mark.
 * @throws FlotillaError INVALID_INPUT for a name that is not in `known`, or twice there.
 */
export function readQuery<Name extends string>(query: string, known: readonly Name[]): ReadonlyMap<Name, string> {
  const parameters = new Map<Name, string>();
  for (const [given, value] of queryParameters(query)) {
    const name = known.find((candidate) => candidate === given);
    if (name === undefined) throw unknownParameter(given, known);
    if (parameters.has(name)) throw new FlotillaError('INVALID_INPUT', `the query parameter "${name}" is there twice`);
    parameters.set(name, value);
  }
  return parameters;
}

/** Namespace, group and version are query parameters: a path segment holds no slash. */
export const identityParameters: readonly ['namespace', 'group', 'version'] = Object.freeze([
  'namespace',
  'group',
  'version',
] as const);

/** Which identity a request means: the service of its path, the rest of its query. */
export function identityOf(
  params: ReadonlyMap<string, string>,
  query: ReadonlyMap<'namespace' | 'group' | 'version', string>,
): Identity {
  return identity(params.get('service') ?? '', Object.fromEntries(query.entries().filter(([name]) => isPart(name))));
}

/** Which instance a request means. */
export function keyOf(
  params: ReadonlyMap<string, string>,
  query: ReadonlyMap<'namespace' | 'group' | 'version', string>,
): InstanceKey {
  return { service: formatIdentity(identityOf(params, query)), id: params.get('id') ?? '' };
}

/** `?service=…` or `?contract=…`; neither: everybody. @throws FlotillaError INVALID_INPUT for both */
export function targetOf(query: ReadonlyMap<'service' | 'contract', string>): Target | undefined {
  const [service, contract] = [query.get('service'), query.get('contract')];
  if (service !== undefined && contract !== undefined) {
    throw new FlotillaError('INVALID_INPUT', 'ask for a service or for a contract, not for both');
  }
  if (service !== undefined) return { service };
  return contract === undefined ? undefined : { contract };
}

/** @throws FlotillaError INVALID_INPUT unless it is absent or a whole number from 0 on. */
export function incarnationOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const incarnation = /^[0-9]{1,16}$/.test(text) ? Number(text) : Number.NaN;
  if (Number.isSafeInteger(incarnation)) return incarnation;
  throw new FlotillaError('INVALID_INPUT', `incarnation must be a whole number from 0 on, got "${text.slice(0, 40)}"`);
}

export function jsonResponse(value: unknown, status = 200): HttpResponse {
  return textResponse(JSON.stringify(value), status);
}

/** JSON that is already written. */
export function textResponse(json: string, status = 200): HttpResponse {
  const headers = new HttpHeaders([
    ['content-type', 'application/json'],
    ['cache-control', 'no-store'],
  ]);
  return { status, headers, body: Buffer.from(json) };
}

export function emptyResponse(status: number): HttpResponse {
  return { status, headers: new HttpHeaders(), body: undefined };
}

function isPart(name: string): boolean {
  return identityParameters.some((part) => part === name);
}

function unknownParameter(given: string, known: readonly string[]): FlotillaError {
  const meant = nearest(given, known);
  const hint = meant ? `did you mean "${meant}"?` : `known: ${known.join(', ') || 'none'}`;
  return new FlotillaError('INVALID_INPUT', `the query parameter "${given.slice(0, 80)}" is not known; ${hint}`);
}
