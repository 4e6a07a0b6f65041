import { type Instance, isHost, type Json } from '@flotilla/core';
import { eurekaActions } from './document.ts';
import { isPageTemplate } from './page-url.ts';
import type { Rest } from './rest.ts';

/** The name of this dialect's bag. */
export const bagName = 'eureka';

type Check = (value: unknown) => boolean;

/** A bag may come from a stranger's registration: a member that no document could hold is passed over. */
const checks: { readonly [K in keyof Rest]: Check } = {
  ownId: isFlag,
  overrideDormant: isFlag,
  hostName: isHostText,
  ipAddr: isHostText,
  sid: orNull(isText),
  port: isPort,
  securePort: isPort,
  countryId: Number.isSafeInteger,
  dataCenterInfo: isDataCenter,
  appGroupName: orNull(isText),
  homePageUrl: orNull(isPageTemplate),
  statusPageUrl: orNull(isPageTemplate),
  healthCheckUrl: orNull(isPageTemplate),
  secureHealthCheckUrl: orNull(isPageTemplate),
  vipAddress: orNull(isText),
  secureVipAddress: orNull(isText),
  isCoordinatingDiscoveryServer: isFlag,
  lastUpdatedTimestamp: isInstant,
  actionType: orNull((value) => eurekaActions.some((action) => action === value)),
  asgName: orNull(isText),
  registrationTimestamp: isInstant,
  lastRenewalTimestamp: isInstant,
  evictionTimestamp: isInstant,
};

const names = Object.keys(checks) as readonly (keyof Rest)[];

/** The members of `rest` that are not as usual. */
export function writeBag(rest: Rest, usual: Rest): { [name: string]: Json } {
  const bag: { [name: string]: Json } = {};
  for (const name of names) {
    const value = rest[name];
    if (value === usual[name] || (typeof value === 'object' && sameJson(value, usual[name]))) continue;
    bag[name] = value;
  }
  return bag;
}

function sameJson(one: Json, other: Json): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}

/** The members of an instance's bag that can be used. */
export function readBag({ bags }: Instance): Partial<Rest> & { readonly metadataOrder?: Json } {
  const bag = Object.hasOwn(bags, bagName) ? bags[bagName] : undefined;
  if (typeof bag !== 'object' || bag === null || Array.isArray(bag)) return {};
  const usable = Object.entries(bag).filter(
    ([name, value]) => name === 'metadataOrder' || (Object.hasOwn(checks, name) && checks[name as keyof Rest](value)),
  );
  return Object.fromEntries(usable);
}

/** One flag of the bag, where it is one, without a look at the rest: each heartbeat asks for one. */
export function readFlag({ bags }: Instance, name: 'overrideDormant'): boolean | undefined {
  const bag = Object.hasOwn(bags, bagName) ? bags[bagName] : undefined;
  if (typeof bag !== 'object' || bag === null || Array.isArray(bag) || !Object.hasOwn(bag, name)) return undefined;
  const value = (bag as { readonly [name: string]: Json })[name];
  return typeof value === 'boolean' ? value : undefined;
}

function orNull(check: Check): Check {
  return (value) => value === null || check(value);
}

function isFlag(value: unknown): boolean {
  return typeof value === 'boolean';
}

function isText(value: unknown): boolean {
  return typeof value === 'string' && /^\P{Cc}{0,1024}$/u.test(value);
}

function isHostText(value: unknown): boolean {
  return typeof value === 'string' && isHost(value);
}

function isPort(value: unknown): boolean {
  return Number.isInteger(value) && (value as number) >= 0 && (value as number) <= 65_535;
}

function isInstant(value: unknown): boolean {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function isDataCenter(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  const { name, metadata } = value as Record<string, unknown>;
  if (name !== 'Amazon') return name === 'Netflix' || name === 'MyOwn';
  return (
    typeof metadata === 'object' &&
    metadata !== null &&
    !Array.isArray(metadata) &&
    Object.values(metadata).every((text) => text === null || (typeof text === 'string' && text.length <= 1_024))
  );
}
