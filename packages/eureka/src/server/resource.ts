import { FlotillaError } from '@flotilla/core';
import { answeringNow, type HttpHandler, HttpHeaders, type HttpRequest, type HttpResponse } from '@flotilla/http';
import {
  type Access,
  assertMayReplicate,
  type GuardedRequest,
  type GuardOptions,
  guard,
  guardNow,
  type PromptGuarded,
} from '@flotilla/registry/server';
import { failure, silentFailure } from './answers.ts';
import type { Answerer, EurekaContext } from './context.ts';
import { acceptedType, sentType } from './negotiation.ts';

type Method = 'GET' | 'POST' | 'PUT' | 'DELETE';

/** One address of the dialect. */
export interface Resource {
  /** Below each prefix, as a pattern of `routesHandler`. */
  readonly path: string;
  /** Who answers; HEAD goes to GET. */
  readonly methods: Readonly<Partial<Record<Method, Answerer>>>;
  /** Who answers a peer that passes on what it heard (`x-netflix-discovery-replication: true`). Default: the same. */
  readonly asPeer?: Readonly<Partial<Record<Method, Answerer>>>;
  /** Who answers at once what is nearly everything that is asked here; the others answer all that it leaves. */
  readonly atOnce?: (context: EurekaContext) => PromptGuarded<unknown>;
  /** Methods whose answers never have a body, errors included. Default: none. */
  readonly silent?: readonly Method[];
  /** Whether it reads and answers something else than documents, in whatever is sent or asked for. Default false. */
  readonly isPage?: boolean;
}

/** Every address that is nothing. */
export const refuseUnknown: Resource = Object.freeze({
  path: '/**',
  methods: Object.freeze({ GET: nothingThere, POST: nothingThere, PUT: nothingThere, DELETE: nothingThere }),
  isPage: true,
});

/**
 * A resource as a handler, which goes through the steps of a Java server in their order: who asks, by which method (405
 * with `allow`), with what (415), for what (406); only then something happens. Whatever is thrown becomes the answer that
 * Eureka's clients know.
 */
export function resourceHandler(context: EurekaContext, resource: Resource, access: Access): HttpHandler {
  const allow = [...Object.keys(resource.methods), 'OPTIONS'].sort().join(',');
  const renewal: GuardOptions = resource.path === '/apps/{app}/{id}' ? { kind: 'renewal' } : {};
  const guarded = (asked: GuardedRequest) => answer(context, resource, allow, asked);
  const handler: HttpHandler = async (request, call) => {
    const fail = (error: FlotillaError, allowed?: string): HttpResponse =>
      resource.silent?.some((method) => method === request.method)
        ? silentFailure(error, allowed)
        : failure(error, request, call, allowed);
    try {
      const deny = (error: FlotillaError): HttpResponse => fail(error);
      return await guard(access, guarded, { deny, ...(request.method === 'PUT' ? renewal : undefined) })(request, call);
    } catch (thrown) {
      if (!(thrown instanceof FlotillaError)) throw thrown;
      return fail(thrown, thrown.code === 'METHOD_NOT_ALLOWED' ? allow : undefined);
    }
  };
  return resource.atOnce ? answeringNow(handler, guardNow(access, 'renewal', resource.atOnce(context))) : handler;
}

async function answer(
  context: EurekaContext,
  { methods, asPeer = {}, isPage = false }: Resource,
  allow: string,
  asked: GuardedRequest,
): Promise<HttpResponse> {
  const { request } = asked;
  const replicates = request.headers.get('x-netflix-discovery-replication') === 'true';
  if (replicates) assertMayReplicate(asked.who); // what is said so counts without a role for the service
  if (request.method === 'OPTIONS') return options(methods.GET ? `HEAD,${allow}` : allow);
  const name = request.method === 'HEAD' ? 'GET' : request.method;
  const answerer = Object.hasOwn(methods, name) ? methods[name as Method] : undefined;
  if (!answerer) throw new FlotillaError('METHOD_NOT_ALLOWED', `this address takes ${allow}, not ${name}`);
  if (name === 'POST' && !isPage) assertSendsDocument(request);
  const type = isPage ? 'application/json' : acceptedType(request.headers);
  if (!type) {
    const accept = request.headers.get('accept')?.slice(0, 80);
    throw new FlotillaError('NOT_ACCEPTABLE', `answers are application/json or application/xml, not "${accept}"`);
  }
  return ((replicates && asPeer[name as Method]) || answerer)(context, { ...asked, type });
}

function options(allow: string): HttpResponse {
  return { status: 200, headers: new HttpHeaders([['allow', allow]]), body: undefined };
}

/** None at all is a type too. */
function assertSendsDocument({ headers }: HttpRequest): void {
  if (sentType(headers)) return;
  const type = (headers.get('content-type') ?? '').slice(0, 80);
  throw new FlotillaError(
    'UNSUPPORTED_MEDIA_TYPE',
    `the body has to be application/json or application/xml, not "${type}"`,
  );
}

function nothingThere(_context: EurekaContext, { request }: GuardedRequest): never {
  throw new FlotillaError('NO_ROUTE', `nothing is served at ${request.path.text.slice(0, 200)}`);
}
