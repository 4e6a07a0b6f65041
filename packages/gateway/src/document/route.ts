import { parseTemplate, patternNames } from '../path-template.ts';
import { type FilterDefinition, type RouteDefinition, routeDefaults } from '../route-document.ts';
import { readHeaderPredicates, readQueryPredicates } from './fields.ts';
import { longestMs, readFilters } from './filters.ts';
import { readMethods } from './methods.ts';
import { readUpstream } from './upstream.ts';
import { shown, type Value } from './value.ts';
import { readWebSocket } from './web-socket.ts';

const keys = [
  'id',
  'path',
  'hosts',
  'methods',
  'headers',
  'query',
  'priority',
  'to',
  'auth',
  'filters',
  'maxBodyBytes',
  'encodedSlash',
  'headTimeoutMs',
  'idleTimeoutMs',
  'webSocket',
] as const;

type Members = ReadonlyMap<(typeof keys)[number], Value>;

const idPattern = /^[A-Za-z0-9](?:[A-Za-z0-9._-]{0,98}[A-Za-z0-9])?$/;

/** Reads one route. Undefined when it lacks something that has no default; all its mistakes are noted either way. */
export function readRoute(value: Value): RouteDefinition | undefined {
  const members = value.members(keys);
  if (!members) return undefined;
  const id = readId(value, members);
  const paths = readPaths(value, members);
  const to = members.get('to');
  const upstream = to
    ? readUpstream(to)
    : value.mistake('needs "to": service://name, contract://name or http://host:port');
  const filters = members.has('filters') ? readFilters(members.get('filters') as Value) : [];
  checkTemplates(filters, paths, members.get('filters'));
  const socket = members.get('webSocket');
  const webSocket = socket ? readWebSocket(socket, filters) : routeDefaults.webSocket;
  const rest = { ...readPredicates(members), ...readTraits(members), ...readLimits(members), webSocket };
  if (id === undefined || paths.length === 0 || upstream === undefined) return undefined;
  return { id, paths, to: upstream, filters, ...rest };
}

function readId(route: Value, members: Members): string | undefined {
  const value = members.get('id');
  if (!value) return route.mistake('needs an "id", which names it in logs and metrics');
  const id = value.text();
  if (id === undefined || idPattern.test(id)) return id;
  return value.mistake(`"${shown(id)}" must be 1 to 100 letters, digits and . _ - with a letter or digit at both ends`);
}

function readPaths(route: Value, members: Members): readonly string[] {
  const value = members.get('path');
  if (!value) return route.mistake('needs a "path"; "/**" takes every path') ?? [];
  if (Array.isArray(value.raw) && value.raw.length === 0) value.mistake('is an empty list');
  return (value.texts() ?? []).map(([text]) => text);
}

function readPredicates(members: Members): Pick<RouteDefinition, 'hosts' | 'methods' | 'headers' | 'query'> {
  const hosts = members.get('hosts');
  const methods = members.get('methods');
  const headers = members.get('headers');
  const query = members.get('query');
  return {
    hosts: hosts ? readHosts(hosts) : [],
    methods: methods ? readMethods(methods) : [],
    headers: headers ? readHeaderPredicates(headers) : [],
    query: query ? readQueryPredicates(query) : [],
  };
}

function readHosts(value: Value): readonly string[] {
  if (Array.isArray(value.raw) && value.raw.length === 0) value.mistake('is an empty list; leave it out for any host');
  return (value.texts() ?? []).map(([text]) => text);
}

function readTraits(members: Members): Pick<RouteDefinition, 'priority' | 'auth' | 'encodedSlash'> {
  return {
    priority: members.get('priority')?.integer(-1_000_000, 1_000_000) ?? routeDefaults.priority,
    auth: members.get('auth')?.word(['required', 'public']) ?? routeDefaults.auth,
    encodedSlash: members.get('encodedSlash')?.word(['refuse', 'keep']) ?? routeDefaults.encodedSlash,
  };
}

function readLimits(members: Members): Pick<RouteDefinition, 'maxBodyBytes' | 'headTimeoutMs' | 'idleTimeoutMs'> {
  return {
    maxBodyBytes: members.get('maxBodyBytes')?.integer(0, Number.MAX_SAFE_INTEGER) ?? routeDefaults.maxBodyBytes,
    headTimeoutMs: members.get('headTimeoutMs')?.integer(1, longestMs) ?? routeDefaults.headTimeoutMs,
    idleTimeoutMs: members.get('idleTimeoutMs')?.integer(1, longestMs) ?? routeDefaults.idleTimeoutMs,
  };
}

/** Each gap of a template must be a gap of every pattern of the route: otherwise it would be left out for some requests. */
function checkTemplates(
  filters: readonly FilterDefinition[],
  paths: readonly string[],
  value: Value | undefined,
): void {
  for (const filter of filters) {
    if (filter.kind !== 'rewritePath') continue;
    const template = parseTemplate(filter.template);
    if (typeof template === 'string') continue;
    for (const pattern of paths) {
      const missing = template.names.find((name) => !patternNames(pattern).includes(name));
      if (missing === undefined) continue;
      value?.mistake(`rewritePath uses {${missing}}, which the path "${shown(pattern)}" does not have`);
    }
  }
}
