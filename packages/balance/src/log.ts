import { formatHostPort, formatTarget, type Instance, type Logger, type Target } from '@flotilla/core';
import type { Member } from './member.ts';
import type { OutlierListener } from './outlier-listener.ts';

/** Every line that a cluster can write. */
export interface BalanceLog {
  changed(known: number, up: number, warming: boolean): void;
  /** Each time somebody else is passed over. */
  passedOver(instances: readonly Instance[]): void;
  cachedSetUsed(instances: number, ageMs: number): void;
  cacheNotLoaded(cause: unknown): void;
  cacheNotSaved(cause: unknown): void;
  ejected(member: AnyMember, forMs: number, timesEjected: number): void;
  readmitted(member: AnyMember): void;
  panicBegan(up: number, ejected: number): void;
  panicEnded(up: number, ejected: number): void;
  endpointNotClosed(member: AnyMember, cause: unknown): void;
}

type AnyMember = Pick<Member<never, never>, 'instance' | 'address'>;

/** @param outliers hears of ejections, too */
export function balanceLog(logger: Logger, target: Target, outliers?: OutlierListener): BalanceLog {
  const log = logger.child({ target: formatTarget(target) });
  let passedOver = '';
  return {
    changed: (known, up, warming) => log.info('instances changed', { known, up, warming }),
    passedOver(instances) {
      const ids = instances.map(({ id }) => id).join('\n');
      if (ids === passedOver) return;
      passedOver = ids;
      if (instances.length === 0) return;
      log.warn('instances are passed over: they do not serve what this caller needs', {
        count: instances.length,
        instances: instances.slice(0, mostNamed).map(servedBy),
      });
    },
    cachedSetUsed: (instances, ageMs) =>
      log.warn('the registry has not answered yet: using the last known instances from disk', { instances, ageMs }),
    cacheNotLoaded: (cause) => log.warn('last known instances could not be read from disk', { cause }),
    cacheNotSaved: (cause) => log.warn('last known instances could not be kept on disk', { cause }),
    ejected(member, forMs, timesEjected) {
      log.warn('instance ejected', { ...placeOf(member), forMs: Math.round(forMs), timesEjected });
      outliers?.ejected(member.address, forMs, timesEjected);
    },
    readmitted(member) {
      log.info('instance readmitted', placeOf(member));
      outliers?.readmitted(member.address);
    },
    panicBegan(up, ejected) {
      log.warn('too few healthy instances: using all of them', { up, ejected });
      outliers?.panicked(up, ejected);
    },
    panicEnded: (up, ejected) => log.info('enough healthy instances again', { up, ejected }),
    endpointNotClosed: (member, cause) => log.warn('endpoint did not close cleanly', { ...placeOf(member), cause }),
  };
}

function placeOf({ instance, address }: AnyMember): { instance: string; address: string } {
  return { instance: instance.id, address: formatHostPort(address) };
}

/** More instances than these are counted, not told. */
const mostNamed = 5;

function servedBy({ id, identity, contracts }: Instance): string {
  const names = contracts.slice(0, mostNamed).map(({ name, version }) => `${name} v${version}`);
  return `${id} of ${identity.service} serves ${names.length === 0 ? 'no contract' : names.join(', ')}`;
}
