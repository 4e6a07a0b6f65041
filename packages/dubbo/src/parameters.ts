import { effectiveStatus, type Instance, type InstanceFacts } from '@flotilla/core';

type Entry = readonly [name: string, text: string];
type Texts = ReadonlyMap<string, string>;

/** The facts that Dubbo carries in parameters, of a URL and of an application's instance alike. */
export type ParameterFacts = Pick<InstanceFacts, 'status' | 'weight' | 'zone' | 'startedAt'>;

/** Dubbo's weight of an ordinary provider; here such a one weighs 1. */
const usualWeight = 100;

const zonePattern = /^[^\p{Cc}\p{Cs}]{1,255}$/u;
const countPattern = /^(0|[1-9]\d{0,14})$/;

/**
 * Whether a parameter is read as a fact.
 *
 * | parameter | fact |
 * |---|---|
 * | `weight` | `weight` × 100; 100 says nothing and stays the owner's |
 * | `timestamp` | `startedAt` |
 * | `enabled=false` | status `out-of-service` |
 * | `zone` | `zone` |
 */
export function isFact(name: string, text: string): boolean {
  if (name === 'weight') return text !== String(usualWeight) && countPattern.test(text);
  if (name === 'timestamp') return countPattern.test(text);
  if (name === 'enabled') return text === 'false';
  return name === 'zone' && zonePattern.test(text);
}

export function readFacts(texts: Texts): ParameterFacts {
  const fact = (name: string): string | undefined => {
    const text = texts.get(name);
    return text !== undefined && isFact(name, text) ? text : undefined;
  };
  const [zone, weight, timestamp] = [fact('zone'), fact('weight'), fact('timestamp')];
  return {
    status: fact('enabled') === undefined ? 'up' : 'out-of-service',
    ...(zone === undefined ? undefined : { zone }),
    weight: weight === undefined ? 1 : Number(weight) / usualWeight,
    ...(timestamp === undefined ? undefined : { startedAt: Number(timestamp) }),
  };
}

/** The parameters that say these facts, as far as parameters can. Whatever is not up is not to be called: disabled. */
export function writeFacts(instance: Instance): Entry[] {
  const weight = String(Math.round(instance.weight * usualWeight));
  const candidates: readonly (readonly [name: string, text: string | undefined])[] = [
    ['enabled', effectiveStatus(instance) === 'up' ? undefined : 'false'],
    ['timestamp', instance.startedAt === undefined ? undefined : String(instance.startedAt)],
    ['weight', Number(weight) / usualWeight === instance.weight ? weight : undefined],
    ['zone', instance.zone],
  ];
  return candidates.filter((entry): entry is Entry => entry[1] !== undefined && isFact(entry[0], entry[1]));
}
