import { ContractError } from './contract-error.ts';
import { defaultBinding, type HttpMapping, mapOperation } from './mapping.ts';
import type { AnyOperation } from './operation.ts';
import { addressShape } from './path-template.ts';
import { platformCodes } from './platform-codes.ts';

/** Operations by their names. */
export type Operations = { readonly [operation: string]: AnyOperation };

/** What a service promises: a plain, frozen value that servers, clients, browsers and tools share. */
export interface Contract<Ops extends Operations> {
  readonly name: string;
  readonly version: number;
  readonly operations: Ops;
  /** Each operation's address and places in HTTP. */
  readonly http: ReadonlyMap<string, HttpMapping>;
}

export type AnyContract = Contract<Operations>;

/**
 * Makes a contract of operations.
 *
 * ```ts
 * const catalog = contract({ name: 'catalog', version: 1 }, {
 *   product: query({ in: Key, out: Product, errors: { NOT_FOUND: error(404, Missing) }, http: get('/products/{id}') }),
 *   prices: stream({ in: Ids, out: Price }),
 * });
 * ```
 *
 * @param identity.name 1 to 100 letters, digits and `. _ -`
 * @param identity.version an integer from 1 on; it rises when an old client would break
 * @throws ContractError CONTRACT_INVALID naming every mistake and its operation
 */
export function contract<const Ops extends Operations>(
  { name, version }: { readonly name: string; readonly version: number },
  operations: Ops,
): Contract<Ops> {
  const mistakes: string[] = [];
  checkIdentity(name, version, mistakes);
  const http = new Map<string, HttpMapping>();
  for (const [operation, spec] of Object.entries<AnyOperation>(operations)) {
    const report = (mistake: string): void => void mistakes.push(`operation "${operation}": ${mistake}`);
    checkOperation(operation, spec, report);
    http.set(operation, mapOperation(spec, spec.http ?? defaultBinding(name, version, operation), report));
  }
  checkRoutes(http, mistakes);
  if (mistakes.length > 0) throw new ContractError(name, mistakes);
  return Object.freeze({ name, version, operations: Object.freeze(operations), http });
}

const namePattern = /^(?!\.+$)[A-Za-z0-9._-]{1,100}$/;
const operationPattern = /^[A-Za-z][A-Za-z0-9_]{0,99}$/;
const codePattern = /^[A-Z][A-Z0-9_]{0,63}$/;

// `then` would make a client look like a promise; the others are members of every object.
const reservedOperations: ReadonlySet<string> = new Set([
  'constructor',
  'prototype',
  'then',
  'toString',
  'valueOf',
  'toJSON',
]);

function checkIdentity(name: string, version: number, mistakes: string[]): void {
  if (!namePattern.test(name)) mistakes.push('its name must be 1 to 100 letters, digits and . _ -');
  if (!Number.isSafeInteger(version) || version < 1) {
    mistakes.push(`its version must be an integer from 1 on, got ${version}`);
  }
}

function checkOperation(name: string, operation: AnyOperation, report: (mistake: string) => void): void {
  if (!operationPattern.test(name)) report('its name must be a letter, then up to 99 letters, digits and _');
  else if (reservedOperations.has(name)) report('its name has a meaning in JavaScript already; choose another');
  for (const option of operation.unknownOptions) report(`"${option}" is not an option of ${operation.kind}()`);
  for (const [code, { status }] of Object.entries(operation.errors)) {
    if (!codePattern.test(code)) report(`error code "${code}" must be capital letters, digits and _, at most 64`);
    if (platformCodes.has(code)) report(`error code "${code}" is the platform's own; choose another`);
    if (!Number.isInteger(status) || status < 400 || status > 599) {
      report(`error "${code}" has status ${status}; errors have 400 to 599`);
    }
  }
}

/** Two operations with one method and one path shape; the names of parameters make no difference. */
function checkRoutes(http: ReadonlyMap<string, HttpMapping>, mistakes: string[]): void {
  const taken = new Map<string, string>();
  for (const [operation, { method, path }] of http) {
    const shape = addressShape(method, path);
    const other = taken.get(shape);
    if (other !== undefined) mistakes.push(`operations "${other}" and "${operation}" are both at ${method} ${path}`);
    else taken.set(shape, operation);
  }
}
