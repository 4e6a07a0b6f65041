import type { InstanceView } from '@flotilla/balance';
import { type FlotillaError, formatHostPort } from '@flotilla/core';
import { formatUpstream } from '../document/upstream.ts';
import type { Exchange } from '../exchange.ts';
import { nearestRoutes, type Verdict } from '../explain.ts';
import type { Upstream } from '../route-document.ts';
import { lookAtLog, nextSteps } from './sentences.ts';

/** What only a developer is told of a failure: plain JSON, a member of the problem document. */
export interface DeveloperView {
  readonly reason: string;
  /** What led to it, outermost first. */
  readonly causes: readonly string[];
  readonly request: string;
  /** Milliseconds from the head of the request. */
  readonly elapsedMs: number;
  readonly route: string | undefined;
  readonly to: string | undefined;
  /** Routes that come nearest, and why each does not take the request. Only when none does. */
  readonly nearest: readonly Verdict[];
  /** Instances that are known of the service, when the route leads to one. */
  readonly instances: readonly DeveloperInstance[] | undefined;
  readonly attempts: readonly DeveloperAttempt[];
  readonly next: string;
}

interface DeveloperInstance {
  readonly id: string;
  readonly address: string;
  readonly status: string;
  readonly ejectedForMs: number;
  readonly calls: number;
  readonly failures: number;
  readonly tried: boolean;
}

interface DeveloperAttempt {
  readonly instance: string;
  readonly address: string;
  readonly afterMs: number;
  readonly tookMs: number;
  readonly outcome: string;
}

const most = Object.freeze({ routes: 8, instances: 20, causes: 5, text: 500 });

/** @param instances of the route's upstream, when it has any */
export function developerView(
  exchange: Exchange,
  error: FlotillaError,
  instances: readonly InstanceView[] | undefined,
): DeveloperView {
  const { call, request, table, route, attempts } = exchange;
  const to = route && formatUpstream(route.definition.to);
  const tried = new Set(attempts.map(({ name }) => name));
  const now = call.clock.now();
  return {
    reason: error.message.slice(0, most.text),
    causes: causesOf(error),
    request: `${request.method} ${request.path.text}`.slice(0, most.text),
    elapsedMs: Math.round(now - call.startedAt),
    route: route?.definition.id,
    to,
    nearest: route ? [] : nearestRoutes(table, request, most.routes),
    instances: instances?.slice(0, most.instances).map((one) => ({
      id: one.id,
      address: `${one.address.protocol}://${formatHostPort(one.address)}`,
      status: one.status,
      ejectedForMs: Math.round(one.ejectedForMs),
      calls: one.calls,
      failures: one.failures,
      tried: tried.has(one.id),
    })),
    attempts: attempts.map(({ name, address, startedAt, endedAt = now, outcome }) => ({
      instance: name,
      address,
      afterMs: Math.round(startedAt - call.startedAt),
      tookMs: Math.round(endedAt - startedAt),
      outcome: (outcome?.message ?? 'no answer yet').slice(0, most.text),
    })),
    next: (nextSteps[error.code] ?? lookAtLog).replaceAll('{to}', named(route?.definition.to)),
  };
}

function named(to: Upstream | undefined): string {
  if (!to) return 'the upstream';
  if (to.kind === 'address') return formatUpstream(to);
  return to.kind === 'service' ? `the service "${to.name}"` : `a service of the contract "${to.name}"`;
}

function causesOf(error: FlotillaError): readonly string[] {
  const causes: string[] = [];
  for (let { cause } = error; cause !== undefined && causes.length < most.causes; ) {
    causes.push(String(cause).slice(0, most.text));
    cause = cause instanceof Error ? cause.cause : undefined;
  }
  return causes;
}
