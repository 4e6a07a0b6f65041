import { FlotillaError } from '@flotilla/core';
import type { Placement } from './local-places.ts';

/** Flags and variables of a process, or of a service that is placed in one. */
export interface GivenSources {
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
}

const flagPrefix = '--placed.';
const variablePrefix = 'FLOTILLA_PLACED';

/** What the variables of a placed service begin with: `FLOTILLA_PLACED_ORDER_EVENTS` of `order-events`. */
export function variablePrefixOf(service: string): string {
  return `${variablePrefix}_${service.replaceAll(/[^A-Za-z0-9]+/g, '_').toUpperCase()}`;
}

/** Takes apart what a process was given: its own part, and what is meant for services that are placed in it. */
export function splitSources({ args, env }: GivenSources): {
  readonly own: GivenSources;
  readonly placed: GivenSources;
} {
  const isPlaced = (name: string): boolean => name.startsWith(`${variablePrefix}_`);
  const variables = (wanted: boolean): GivenSources['env'] =>
    Object.fromEntries(Object.entries(env).filter(([name]) => isPlaced(name) === wanted));
  return {
    own: { args: args.filter((arg) => !arg.startsWith(flagPrefix)), env: variables(false) },
    placed: { args: args.filter((arg) => arg.startsWith(flagPrefix)), env: variables(true) },
  };
}

/**
 * What is meant for each of the services that are placed here. Where the name of one begins with that of another, the longer
 * one counts. Flags come as the service would take them as a process.
 * @throws FlotillaError CONFIG_INVALID for what is meant for nobody here
 */
export function sourcesByService(
  { args, env }: GivenSources,
  placement: Readonly<Record<string, Placement>>,
): ReadonlyMap<string, GivenSources> {
  const services = Object.keys(placement).filter((name) => placement[name] !== 'remote');
  const longestFirst = services.toSorted((a, b) => b.length - a.length);
  const found = new Map(services.map((name) => [name, { args: [] as string[], env: {} as Record<string, string> }]));
  const mistakes: string[] = [];
  const of = (given: string, prefixOf: (service: string) => string): string | undefined => {
    const name = longestFirst.find((service) => given.startsWith(prefixOf(service)));
    if (name === undefined) mistakes.push(`${given.replace(/=.*$/s, '')}: no service of that name is placed here`);
    return name;
  };
  for (const arg of args) {
    const name = of(arg, (service) => `${flagPrefix}${service}.`);
    if (name !== undefined) found.get(name)?.args.push(`--${arg.slice(`${flagPrefix}${name}.`.length)}`);
  }
  for (const [variable, value] of Object.entries(env)) {
    const name = of(variable, (service) => `${variablePrefixOf(service)}_`);
    const own = name === undefined ? undefined : found.get(name);
    if (own && value !== undefined) own.env[variable] = value;
  }
  if (mistakes.length === 0) return found;
  const known = services.length === 0 ? 'none is' : `placed are ${services.join(', ')}`;
  throw new FlotillaError('CONFIG_INVALID', `${mistakes.join('\n')}\n${known}; see "placement"`);
}
