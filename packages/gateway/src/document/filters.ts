import { baggageLimits, toFlotillaError } from '@flotilla/core';
import { isFieldName, parsePath } from '@flotilla/http';
import { passedKey } from '../loop-guard.ts';
import { type PathTemplate, parseTemplate } from '../path-template.ts';
import { documentLimits, type Field, type FilterDefinition, filterDefaults } from '../route-document.ts';
import { readHeaderFields, readHeaderNames } from './fields.ts';
import { readMethods } from './methods.ts';
import { shown, type Value } from './value.ts';

type Kind = FilterDefinition['kind'];

/** How each filter is read; its keys are the names of all filters. */
const readers: { readonly [K in Kind]: (value: Value) => FilterDefinition | undefined } = {
  stripPrefix: readStripPrefix,
  rewritePath: readRewritePath,
  setRequestHeader: (value) => ({ kind: 'setRequestHeader', fields: readHeaderFields(value) }),
  removeRequestHeader: (value) => ({ kind: 'removeRequestHeader', names: readHeaderNames(value) }),
  setResponseHeader: (value) => ({ kind: 'setResponseHeader', fields: readHeaderFields(value) }),
  removeResponseHeader: (value) => ({ kind: 'removeResponseHeader', names: readHeaderNames(value) }),
  retry: readRetry,
  timeout: readTimeout,
  pickKey: readPickKey,
  context: readContext,
};

const kinds = Object.keys(readers) as readonly Kind[];

/** The longest time that may be configured: one day. */
export const longestMs = 86_400_000;

/** Reads `filters`: a list of mappings with one key each, because their order counts. */
export function readFilters(value: Value): readonly FilterDefinition[] {
  return (value.list(documentLimits.maxFiltersPerRoute) ?? []).flatMap((item) => readFilter(item) ?? []);
}

function readFilter(item: Value): FilterDefinition | undefined {
  if (typeof item.raw === 'string') return item.mistake(`write "- ${shown(item.raw)}: …", a name and what it takes`);
  const members = item.members(kinds);
  if (!members) return undefined;
  const [first, second] = members;
  if (second)
    return item.mistake('holds several filters; begin each with a "-" of its own, in the order that is meant');
  if (!first) return Object.keys(item.raw as object).length === 0 ? item.mistake('is an empty filter') : undefined;
  const [kind, inner] = first;
  return readers[kind](inner);
}

function readStripPrefix(value: Value): FilterDefinition | undefined {
  const segments = value.integer(1, 50);
  return segments === undefined ? undefined : { kind: 'stripPrefix', segments };
}

function readRewritePath(value: Value): FilterDefinition | undefined {
  const template = value.text();
  if (template === undefined) return undefined;
  const parsed = parseTemplate(template);
  const problem = typeof parsed === 'string' ? parsed : canonicalProblem(parsed);
  return problem === undefined ? { kind: 'rewritePath', template } : value.mistake(problem);
}

/** What every request would be refused for is found here: the template with a plain word in each gap. */
function canonicalProblem(template: PathTemplate): string | undefined {
  const path = template.parts.map((part) => `/${part.kind === 'text' ? part.text : 'x'}`).join('');
  try {
    const { text } = parsePath(path);
    return text === path ? undefined : `is not canonical: it would be read as "${text}"`;
  } catch (thrown) {
    return toFlotillaError(thrown).detail;
  }
}

function readRetry(value: Value): FilterDefinition | undefined {
  const members = value.members(['attempts', 'methods']);
  if (!members) return undefined;
  const attempts = members.get('attempts')?.integer(1, 11) ?? filterDefaults.retryAttempts;
  const methods = members.get('methods');
  return { kind: 'retry', attempts, methods: methods ? readMethods(methods) : filterDefaults.retryMethods };
}

function readTimeout(value: Value): FilterDefinition | undefined {
  const members = value.members(['timeoutMs']);
  if (!members) return undefined;
  const member = members.get('timeoutMs');
  if (!member) return value.mistake('needs "timeoutMs"');
  const timeoutMs = member.integer(1, longestMs);
  return timeoutMs === undefined ? undefined : { kind: 'timeout', timeoutMs };
}

function readPickKey(value: Value): FilterDefinition | undefined {
  const members = value.members(['header', 'cookie', 'clientAddress']);
  if (!members) return undefined;
  const [first, second] = members;
  if (!first || second) return value.mistake('takes one of "header", "cookie" and "clientAddress"');
  const [from, member] = first;
  if (from === 'clientAddress') {
    return member.raw === true ? { kind: 'pickKey', from } : member.mistake('can only be true');
  }
  const name = member.text();
  if (name === undefined) return undefined;
  // A cookie's name is a token, as that of a header field (RFC 6265 §4.1.1).
  if (!isFieldName(name)) return member.mistake(`"${shown(name)}" cannot be the name of a ${from}`);
  return { kind: 'pickKey', from, name: from === 'header' ? name.toLowerCase() : name };
}

function readContext(value: Value): FilterDefinition | undefined {
  const members = value.members(['urgency', 'baggage']);
  if (!members) return undefined;
  if (members.size === 0) return value.mistake('takes "urgency", "baggage" or both');
  const urgency = members.get('urgency')?.integer(0, 7);
  const given = members.get('baggage');
  return { kind: 'context', urgency, baggage: given ? readBaggage(given) : [] };
}

/** Members of the baggage to write. Their names are tokens (W3C Baggage §3.3.1.1). */
function readBaggage(value: Value): readonly Field[] {
  const entries = value.entries() ?? [];
  if (entries.length > baggageLimits.maxMembers) {
    return value.mistake(`has ${entries.length} members, the limit is ${baggageLimits.maxMembers}`) ?? [];
  }
  return entries.flatMap(([name, member]) => {
    const text = member.text();
    if (text === undefined) return [];
    if (!isFieldName(name)) return member.mistake(`"${shown(name)}" cannot be the name of a member`) ?? [];
    if (name === passedKey) return member.mistake(`"${name}" is written by gateways alone`) ?? [];
    return [[name, text] as const];
  });
}
