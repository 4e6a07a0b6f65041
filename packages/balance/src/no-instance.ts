import { FlotillaError, formatTarget, type Target } from '@flotilla/core';
import type { Census } from './members.ts';

/** Nobody can be picked: says who is known and why none of them will do. */
export function noneCanServe(
  target: Target,
  census: Census,
  ejected: number,
  protocols: readonly string[],
): FlotillaError {
  const { known, draining, notUp, unreachable, unaccepted } = census;
  if (known === 0) {
    return refusal(`no instance of "${formatTarget(target)}" is registered; is the name right, and is it running?`);
  }
  const spoken = protocols.map((protocol) => `"${protocol}"`).join(', ');
  const facts = [
    `${known} known`,
    `${ejected} ejected`,
    `${draining} draining`,
    `${notUp} not up`,
    `${unreachable} without an address for ${spoken} (see protocols)`,
    ...(unaccepted > 0 ? [`${unaccepted} that this caller has no use for (another contract or version)`] : []),
  ];
  return refusal(`no instance of "${formatTarget(target)}" can take this request: ${facts.join(', ')}`);
}

/** Nobody is known yet. @param warming the registry has answered, but came up empty a short while ago */
export function notKnownYet(target: Target, waitedMs: number, warming: boolean): FlotillaError {
  const why = warming
    ? 'the registry came up empty a short while ago and has not heard of it; is the name right, and is it running?'
    : 'the registry has named none yet; can it be reached?';
  return new FlotillaError(
    'NO_INSTANCE',
    `no instance of "${formatTarget(target)}" is known: ${why} This call waited ${Math.round(waitedMs)} ms; see firstSetTimeoutMs`,
    { retryAfterMs: tryAgainMs },
  );
}

/** An instance that comes up is pushed within milliseconds: who asks again finds it. */
const tryAgainMs = 1_000;

/** Too many wait already. */
export function tooManyWait(target: Target, maxWaiting: number): FlotillaError {
  return refusal(
    `no instance of "${formatTarget(target)}" is known: the registry has named none yet, ` +
      `and ${maxWaiting} calls wait for it, as many as maxWaiting allows`,
  );
}

function refusal(detail: string): FlotillaError {
  return new FlotillaError('NO_INSTANCE', detail);
}

/** A second attempt of a request found only instances that the first went to. */
export function nobodyElse(target: Target): FlotillaError {
  return new FlotillaError('NO_INSTANCE', `no other instance of ${formatTarget(target)} can take a second attempt`);
}
