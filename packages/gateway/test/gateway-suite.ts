import { describe } from 'node:test';
import { admissionClaims } from './claims/admission.ts';
import { authClaims } from './claims/auth.ts';
import { bodyClaims } from './claims/bodies.ts';
import { contextClaims } from './claims/context.ts';
import { errorClaims } from './claims/errors.ts';
import { failureClaims } from './claims/failures.ts';
import { filterClaims } from './claims/filters.ts';
import { headerClaims } from './claims/headers.ts';
import { reloadClaims } from './claims/reload.ts';
import { reportClaims } from './claims/reports.ts';
import { routingClaims } from './claims/routing.ts';
import { webSocketClaims } from './claims/websockets.ts';
import type { EngineUnderTest } from './support.ts';

/** What a gateway does, whatever engine carries its messages. */
export function gatewaySuite(name: string, engine: () => EngineUnderTest): void {
  describe(`a gateway on ${name}`, () => {
    routingClaims(engine);
    filterClaims(engine);
    headerClaims(engine);
    contextClaims(engine);
    bodyClaims(engine);
    failureClaims(engine);
    admissionClaims(engine);
    errorClaims(engine);
    authClaims(engine);
    reloadClaims(engine);
    reportClaims(engine);
    webSocketClaims(engine);
  });
}
