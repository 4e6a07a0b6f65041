import type { Ask, Scenario } from '../ask.ts';
import { instance, instanceXml, type Members } from './documents.ts';

export const json = { accept: 'application/json' };
export const xml = { accept: 'application/xml' };

export type Headers = Readonly<Record<string, string>>;

export function get(path: string, headers: Headers = json): Ask {
  return { method: 'GET', path: `/eureka/${path}`, headers };
}

/** A request without a body, as RestTemplate sends it. */
export function put(path: string, headers: Headers = json): Ask {
  return { method: 'PUT', path: `/eureka/${path}`, headers };
}

export function remove(path: string, headers: Headers = json): Ask {
  return { method: 'DELETE', path: `/eureka/${path}`, headers };
}

export function post(app: string, body: string | Uint8Array, headers: Headers = {}): Ask {
  return {
    method: 'POST',
    path: `/eureka/apps/${app}`,
    headers: { ...json, 'content-type': 'application/json', ...headers },
    body,
  };
}

/** A good registration, or one with other members. */
export function register(app: string, changes: Members = {}, headers: Headers = {}): Ask {
  return post(app, JSON.stringify({ instance: instance(app, changes) }), headers);
}

export function registerXml(app: string, changes: Readonly<Record<string, string | undefined>> = {}): Ask {
  return post(app, instanceXml(app, changes), { 'content-type': 'application/xml' });
}

/** What a scenario is before it has an application of its own. */
export interface Sketch {
  readonly name: string;
  /** Applications of its own that it names; default: the one that it is given. */
  readonly apps?: readonly string[];
  asks(app: string): readonly Ask[];
}

export function sketch(name: string, asks: (app: string) => readonly Ask[]): Sketch {
  return { name, asks };
}

/** Gives each sketch an application that no other names. */
export function scenarios(sketches: readonly Sketch[]): Scenario[] {
  return sketches.map(({ name, apps, asks }, index) => {
    const app = `APP${index + 1}`;
    return { name, apps: apps ?? [app], asks: asks(app) };
  });
}
