import type { Call, Endpoint, FlotillaError } from '@flotilla/core';
import type { HttpBody, HttpRequest, HttpResponse } from '@flotilla/http';
import type { Carriage } from './carriage.ts';
import { CarriedBody } from './carried-body.ts';
import type { Passage } from './passage.ts';

/** Carries an HTTP exchange, bodies of both directions included. */
export function carryHttp(
  carriage: Carriage,
  endpoint: Endpoint<HttpRequest, HttpResponse>,
  request: HttpRequest,
): Promise<HttpResponse> {
  return carriage.exchange(
    (inner) => {
      const body = carry(carriage, request.body, carriage.forth, () => {});
      return endpoint.handle({ ...request, body, ...upgradeOf(carriage, request) }, inner);
    },
    (answer, inner) => ({
      ...answer,
      body: carry(carriage, answer.body, carriage.back, whenDone(carriage, answer, inner)),
    }),
  );
}

/** What the client sends after a change of the protocol is a body too. */
function upgradeOf(carriage: Carriage, { upgrade }: HttpRequest): Pick<HttpRequest, 'upgrade'> {
  if (!upgrade) return {};
  return { upgrade: { ...upgrade, incoming: new CarriedBody(upgrade.incoming, carriage, carriage.forth, () => {}) } };
}

/** A tunnel is over when both its directions are, which the engine knows; any other exchange with its answer's body. */
function whenDone(
  { outer }: Carriage,
  { status }: HttpResponse,
  inner: Call,
): (outcome: FlotillaError | undefined) => void {
  if (status !== 101) return (outcome) => outer.end(outcome);
  inner.onEnd((outcome) => outer.end(outcome));
  return () => {};
}

function carry(
  carriage: Carriage,
  body: HttpBody,
  passage: Passage,
  done: (outcome: FlotillaError | undefined) => void,
): HttpBody {
  if (body === undefined || (body instanceof Uint8Array && body.length === 0)) {
    done(undefined);
    return body;
  }
  return new CarriedBody(body, carriage, passage, done);
}
