import { parseYaml } from '@flotilla/config';
import { documentLimits, type RouteDocument } from '../route-document.ts';
import { checkTable, type PlacedRoute } from './check-table.ts';
import { type Locate, Mistakes } from './mistakes.ts';
import { readNetworks } from './networks.ts';
import { readRoute } from './route.ts';
import { Value } from './value.ts';

/**
 * Reads a route document from YAML.
 * @param name of the file, for messages.
 * @throws FlotillaError CONFIG_INVALID naming every mistake with file and line.
 */
export function readRoutes(text: string, name: string): RouteDocument {
  const { value, placeOf } = parseYaml(text, name);
  return read(value, name, placeOf);
}

/**
 * Reads a route document from plain data of the same shape as the YAML.
 * @throws FlotillaError CONFIG_INVALID naming every mistake with its path.
 */
export function checkRoutes(value: unknown): RouteDocument {
  return read(value, 'the route document', () => '');
}

function read(raw: unknown, name: string, locate: Locate): RouteDocument {
  const mistakes = new Mistakes(locate);
  const members = new Value(raw, [], mistakes).members(['trustedProxies', 'trustContext', 'trustPriority', 'routes']);
  const networks = members?.get('trustedProxies');
  const routes = members && readList(members.get('routes'), mistakes);
  const document: RouteDocument = {
    trustedProxies: networks ? readNetworks(networks) : [],
    trustContext: members?.get('trustContext')?.boolean() ?? false,
    trustPriority: members?.get('trustPriority')?.boolean() ?? false,
    routes: (routes ?? []).map(({ route }) => route),
  };
  if (routes) checkTable(routes);
  mistakes.throwIfAny(name);
  return deepFreeze(document);
}

function readList(value: Value | undefined, mistakes: Mistakes): readonly PlacedRoute[] {
  if (!value) {
    mistakes.add([], 'needs "routes"; an empty list serves nothing');
    return [];
  }
  return (value.list(documentLimits.maxRoutes) ?? []).flatMap((item) => {
    const route = readRoute(item);
    return route ? [{ route, value: item }] : [];
  });
}

function deepFreeze<T>(data: T): T {
  if (typeof data !== 'object' || data === null || Object.isFrozen(data)) return data;
  for (const member of Object.values(data)) deepFreeze(member);
  return Object.freeze(data);
}
