import { type Call, FlotillaError, idempotentAttribute, within } from '@flotilla/core';
import type { HttpRequest, HttpResponse } from '@flotilla/http';
import { type Authenticate, principalAttribute } from './authenticate.ts';
import { leaveBody, tapBody } from './body-tap.ts';
import type { Exchange } from './exchange.ts';
import { cleanRequest } from './header-hygiene.ts';
import { matchedAttribute } from './match.ts';
import { Patience } from './patience.ts';
import type { Route } from './route.ts';
import type { RouteDefinition } from './route-document.ts';
import type { OpenSocket } from './websocket/open-socket.ts';
import { checkOrigin } from './websocket/origin.ts';
import type { Sockets } from './websocket/sockets.ts';

/** Methods whose work may be done twice without harm (RFC 9110 §9.2.2). */
const idempotentMethods: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE']);

/**
 * Takes a request through its route. The order is fixed:
 * 0. a wish for a WebSocket: whether the route has any, and for whose pages;
 * 1. who it is, from the fields as they came: before anything is spent on it;
 * 2. limits that can be read off the head;
 * 3. fields of the connection and of strangers off, our own on: what a filter writes comes later, so that nothing a
 *    client says can remove it;
 * 4. the filters of the route, in the order of the document, and the upstream;
 * 5. the answer: fields of the connection off before the filters see it, its body as it comes.
 *
 * @throws FlotillaError
 */
export async function forward(
  exchange: Exchange,
  route: Route,
  pattern: string,
  sockets: Sockets,
  authenticate: Authenticate | undefined,
): Promise<HttpResponse> {
  const { request, call, table } = exchange;
  const { definition } = route;
  const patience = new Patience(call, definition.headTimeoutMs); // first: it bounds the authenticator too
  if (request.upgrade) checkSocket(exchange, definition);
  if (definition.auth !== 'public') await admit(request, call, definition, authenticate);
  checkHead(request, definition);
  call.set(matchedAttribute, { pattern, path: request.path });
  call.set(
    idempotentAttribute,
    !request.upgrade && request.body === undefined && idempotentMethods.has(request.method),
  );
  const cleaned = cleanRequest(request, table.trust, route.written);
  const body = guardUpload(request, call, definition.maxBodyBytes, patience);
  const socket = request.upgrade && sockets.begin(exchange, route, request.upgrade, patience);
  const { method, authority, path, query, peer } = request;
  const plain: HttpRequest = { method, authority, path, query, headers: cleaned, body, ...(peer && { peer }) };
  const asked: HttpRequest = socket
    ? { ...plain, upgrade: { protocol: 'websocket', incoming: socket.towardsServer } }
    : plain;
  const response = await answer(route, asked, call);
  if (socket && response.status === 101) return openSocket(socket, response, definition, call, patience);
  if (socket) sockets.declined(socket);
  patience.flowing(definition.idleTimeoutMs);
  const { status, headers } = response;
  return { status, headers, body: watchDownload(response, exchange, patience) };
}

function checkSocket({ request, table }: Exchange, { id, webSocket }: RouteDefinition): void {
  if (!webSocket) {
    throw new FlotillaError('FORBIDDEN', `the route "${id}" takes no WebSockets; "webSocket: true" opens it for them`);
  }
  const forwarded = table.trust.trusts(request) ? request.headers.getAll('x-forwarded-host') : [];
  checkOrigin(request, forwarded.at(0)?.split(',').at(0)?.trim() ?? request.authority, webSocket);
}

function openSocket(
  socket: OpenSocket,
  response: HttpResponse,
  { webSocket }: RouteDefinition,
  call: Call,
  patience: Patience,
): HttpResponse {
  if (webSocket) patience.flowing(webSocket.idleMs, () => socket.close('idle'));
  const { expiresAt } = call.get(principalAttribute) ?? {};
  if (expiresAt !== undefined) socket.closeAt(expiresAt);
  return { ...response, body: socket.open(response.body) };
}

async function admit(
  request: HttpRequest,
  call: Call,
  { id }: RouteDefinition,
  authenticate: Authenticate | undefined,
): Promise<void> {
  if (!authenticate) {
    const detail = `the route "${id}" requires authentication and this gateway has no authenticator; "auth: public" opens a route`;
    throw new FlotillaError('UNAUTHENTICATED', detail);
  }
  // Without its body: it is read once, by the upstream.
  call.set(principalAttribute, await within(call, authenticate(withoutStreams(request), call)));
}

function withoutStreams({ body: _, upgrade: __, ...request }: HttpRequest): HttpRequest {
  return { ...request, body: undefined };
}

function checkHead({ path, headers }: HttpRequest, { encodedSlash, maxBodyBytes }: RouteDefinition): void {
  if (encodedSlash === 'refuse' && path.text.includes('%2F')) {
    throw new FlotillaError('MALFORMED_REQUEST', 'the path holds an escaped slash, which this route does not keep');
  }
  const declared = Number(headers.get('content-length') ?? 0);
  if (declared > maxBodyBytes) throw tooLarge(maxBodyBytes);
}

/** Counts what comes, whatever length was declared; a broken body ends the call with the reason. */
function guardUpload(request: HttpRequest, call: Call, maxBodyBytes: number, patience: Patience): HttpRequest['body'] {
  let bytes = 0;
  return tapBody(request.body, {
    chunk(length) {
      patience.touch();
      bytes += length;
      if (bytes > maxBodyBytes) throw tooLarge(maxBodyBytes);
    },
    failed: (thrown) => {
      if (thrown instanceof FlotillaError) call.cancel(thrown);
    },
  });
}

/** An answer that comes after the call was given up is left at once, so that its upstream can stop. */
function answer(route: Route, request: HttpRequest, call: Call): Promise<HttpResponse> {
  return new Promise((resolve, reject) => {
    const leave = call.onCancel(reject);
    route.handle(request, call).then(
      (response) => {
        leave();
        if (call.cancelled) leaveBody(response.body);
        resolve(response);
      },
      (thrown) => {
        leave();
        reject(call.cancelled ?? thrown);
      },
    );
  });
}

function watchDownload({ body }: HttpResponse, exchange: Exchange, patience: Patience): HttpResponse['body'] {
  return tapBody(body, {
    chunk(length) {
      patience.touch();
      exchange.bytesOut += length;
    },
    failed: (thrown) => {
      if (thrown instanceof FlotillaError) exchange.failure ??= exchange.call.cancelled ?? thrown;
    },
  });
}

function tooLarge(maxBodyBytes: number): FlotillaError {
  return new FlotillaError('BODY_TOO_LARGE', `the body is over the limit of ${maxBodyBytes} bytes; see maxBodyBytes`);
}
