import type { CatalogueContract, CatalogueOperation } from './contract-document.ts';
import type { FieldShape, MessageShape } from './message-shape.ts';

/** Why calls of one operation fail, or may fail, between a provider and a caller with other contracts. */
export interface Incompatibility {
  readonly operation: string;
  /** `out.price`, `in.items[].sku`; absent: the operation itself. */
  readonly field?: string;
  readonly detail: string;
}

/** What becomes of a caller when a field, or a whole operation, goes. */
export type Impact = 'breaks' | 'uses' | 'unaffected' | 'unknown';

/** More are not told of one pair. */
const mostTold = 20;

/**
 * What of a caller's contract a provider does not keep. What the provider has beyond it is no matter.
 *
 * | | the caller fails when |
 * |---|---|
 * | operation | it is not there, is of another kind, or elsewhere |
 * | a field of the answer | the caller requires it and it is gone or not always there; it may be of a type or have a value that the caller does not know |
 * | a field of the request | the provider requires it and the caller need not send it; the caller may send a type, a value or a field that the provider does not take |
 */
export function incompatibilities(provider: CatalogueContract, caller: CatalogueContract): readonly Incompatibility[] {
  if (provider.hash === caller.hash) return [];
  const found: Incompatibility[] = [];
  for (const wanted of caller.operations.values()) {
    const offered = provider.operations.get(wanted.name);
    if (offered?.hash === wanted.hash) continue;
    found.push(...(offered ? ofOperation(offered, wanted) : [gone(wanted)]));
    if (found.length >= mostTold) break;
  }
  return found.slice(0, mostTold);
}

/** @param field `out.…` or `in.…`; absent: the whole operation. */
export function impactOf(caller: CatalogueContract | undefined, operation: string, field?: string): Impact {
  if (!caller) return 'unknown';
  const known = caller.operations.get(operation);
  if (!known) return 'unaffected';
  if (field === undefined) return 'breaks';
  const [, side, path = ''] = /^(in|out)(?:\.(.*))?$/s.exec(field) ?? [];
  const shape = side === 'out' ? known.output : known.input;
  if (!shape) return 'unknown';
  const found = shape.get(path);
  if (!found) return 'unaffected';
  // What is sent and not read does no harm, unless the provider refuses what it does not know: that is its affair.
  return side === 'out' && found.required ? 'breaks' : 'uses';
}

function gone({ name }: CatalogueOperation): Incompatibility {
  return { operation: name, detail: `the operation "${name}" is gone` };
}

function ofOperation(offered: CatalogueOperation, wanted: CatalogueOperation): Incompatibility[] {
  const { name: operation } = wanted;
  if (offered.kind !== wanted.kind) {
    return [{ operation, detail: `"${operation}" is a ${offered.kind}, called as a ${wanted.kind}` }];
  }
  const found: Incompatibility[] = [];
  if (offered.http !== wanted.http) {
    found.push({ operation, detail: `"${operation}" is at ${offered.http}, called at ${wanted.http}` });
  }
  if (offered.output && wanted.output) found.push(...ofAnswer(operation, offered.output, wanted.output));
  if (offered.input && wanted.input) found.push(...ofRequest(operation, offered.input, wanted.input));
  return found;
}

function ofAnswer(operation: string, offered: MessageShape, wanted: MessageShape): Incompatibility[] {
  const found: Incompatibility[] = [];
  for (const [path, expected] of wanted) {
    const field = path === '' ? 'out' : `out.${path}`;
    const given = offered.get(path);
    if (!given) {
      if (expected.required && parentsOf(path).every((parent) => offered.has(parent))) {
        found.push({ operation, field, detail: `${field} is gone, and the caller requires it` });
      }
      continue;
    }
    if (expected.required && !given.required) {
      found.push({ operation, field, detail: `${field} is not always there, and the caller requires it` });
    }
    const reason = exceeds(given, expected);
    if (reason) found.push({ operation, field, detail: `${field} ${reason}, which the caller does not know` });
  }
  return found;
}

function ofRequest(operation: string, taken: MessageShape, sent: MessageShape): Incompatibility[] {
  const found: Incompatibility[] = [];
  for (const [path, required] of taken) {
    const field = path === '' ? 'in' : `in.${path}`;
    const given = sent.get(path);
    const within = parentsOf(path).every((parent) => sent.has(parent));
    if (!given || (required.required && !given.required)) {
      if (required.required && within) {
        found.push({ operation, field, detail: `${field} is required, and the caller need not send it` });
      }
      if (!given) continue;
    }
    const reason = exceeds(given, required);
    if (reason) found.push({ operation, field, detail: `${field} ${reason} from the caller, which is not taken` });
  }
  for (const path of sent.keys()) {
    const parent = parentsOf(path).at(-1);
    if (taken.has(path) || parent === undefined || !taken.get(parent)?.closed) continue;
    const field = `in.${path}`;
    found.push({ operation, field, detail: `${field} is sent by the caller, and no further fields are taken there` });
  }
  return found;
}

/** What `given` may be and `expected` does not allow. */
function exceeds(given: FieldShape, expected: FieldShape): string | undefined {
  const foreign = [...given.types].filter((type) => !allows(expected.types, type));
  if (foreign.length > 0) return `may be ${foreign.join(' or ')}`;
  if (!expected.values) return undefined;
  if (!given.values) return given.types.has('null') && given.types.size === 1 ? undefined : 'may be any value';
  const values = [...given.values.difference(expected.values)];
  return values.length > 0 ? `may be ${values.slice(0, 3).join(' or ')}` : undefined;
}

function allows(types: ReadonlySet<string>, type: string): boolean {
  return type === 'any' || types.has('any') || types.has(type) || (type === 'integer' && types.has('number'));
}

/** `a.b[].c` is within ``, `a`, `a.b` and `a.b[]`. */
function parentsOf(path: string): readonly string[] {
  if (path === '') return [];
  const ends = [...path.matchAll(/\.|\[\]|\{\}/g)].flatMap(({ index }) => (index === 0 ? [] : [path.slice(0, index)]));
  const lists = [...path.matchAll(/\[\]|\{\}/g)].map(({ index }) => path.slice(0, index + 2));
  return ['', ...new Set([...ends, ...lists].filter((parent) => parent !== path))].sort((a, b) => a.length - b.length);
}
