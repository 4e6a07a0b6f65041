import { FlotillaError, nearest } from '@flotilla/core';
import { decodeLines } from '@flotilla/http';
import { problemMember } from '@flotilla/rpc';
import {
  buildRequest,
  type ContractDescription,
  InputError,
  inputFromTexts,
  type OperationDescription,
  type RequestParts,
} from '@flotilla/rpc/contract';
import type { FleetState } from '../dev/state-file.ts';
import { fetchJson, fetchUrl } from '../engines/http-get.ts';
import { requestBody } from '../engines/request-body.ts';
import type { Output } from './output.ts';

/** A process that serves an operation. */
interface Found {
  readonly url: string;
  readonly operation: OperationDescription;
}

/**
 * Calls an operation by hand: `call catalog.product --id rice-bowl`. The processes of the fleet are asked what they
 * serve, so no contract file is needed. Elements of a stream are printed as they come. Where an operation takes bytes or
 * files, `--body @cat.png` and `--files @cat.png` send those of a file.
 * @throws FlotillaError as the callee answered it, or NO_ROUTE naming the nearest operation.
 */
export async function call(
  state: FleetState,
  operation: string,
  fields: readonly string[],
  output: Output,
): Promise<void> {
  const found = await findOperation(state, operation);
  const input = inputFromTexts(found.operation, parseFields(fields));
  const parts = requestParts(found.operation, input);
  const { method, path, query, headers } = parts;
  const body = await requestBody(found.operation.http, parts);
  const response = await fetchUrl(`${found.url}${path}${query === '' ? '' : `?${query}`}`, {
    method,
    headers: [...headers, ...(body?.type === undefined ? [] : [['content-type', body.type]])] as [string, string][],
    ...(body && { body: body.content }),
    ...(found.operation.kind === 'stream' ? { signal: new AbortController().signal } : undefined),
  });
  if (found.operation.kind === 'stream' && response.status < 300 && response.body) {
    for await (const line of decodeLines(response.body, { maxLineBytes: 1_048_576 })) printElement(line, output);
    return;
  }
  printAnswer(response.status, await response.text(), output);
}

/** `--id a --tags x --tags=y` → `{ id: ['a'], tags: ['x', 'y'] }`; a name alone means `true`. */
export function parseFields(args: readonly string[]): Readonly<Record<string, readonly string[]>> {
  const fields: Record<string, string[]> = Object.create(null);
  for (let i = 0; i < args.length; i++) {
    const [, name, , inline] = /^--([A-Za-z_][\w-]*)(=([\s\S]*))?$/.exec(args[i] ?? '') ?? [];
    if (name === undefined) {
      throw new FlotillaError('INVALID_INPUT', `"${args[i]}" is no field; fields are written --name value`);
    }
    const next = args[i + 1];
    const spaced = inline === undefined && next !== undefined && !next.startsWith('--');
    if (spaced) i++;
    fields[name] = [...(fields[name] ?? []), inline ?? (spaced ? next : 'true')];
  }
  return fields;
}

function requestParts({ http, name }: OperationDescription, input: unknown): RequestParts {
  try {
    return buildRequest(http, input);
  } catch (thrown) {
    if (!(thrown instanceof InputError)) throw thrown;
    const field =
      http.body && 'field' in http.body ? `; "${http.body.field}" is a file: --${http.body.field} @path` : '';
    throw new FlotillaError('INVALID_INPUT', `"${name}" cannot be called like this: ${thrown.message}${field}`);
  }
}

async function findOperation(state: FleetState, wanted: string): Promise<Found> {
  const known: string[] = [];
  for (const { url, managementUrl } of state.processes) {
    if (url === null || managementUrl === null) continue;
    const contracts = (await fetchJson(`${managementUrl}/contracts`)) as readonly ContractDescription[];
    for (const contract of contracts) {
      for (const operation of contract.operations) {
        const name = `${contract.name}.${operation.name}`;
        if (name === wanted) return { url, operation };
        known.push(name);
      }
    }
  }
  const meant = nearest(wanted, known);
  const hint = meant === undefined ? `known: ${[...new Set(known)].join(', ')}` : `did you mean "${meant}"?`;
  throw new FlotillaError('NO_ROUTE', `no process of the fleet serves "${wanted}"; ${hint}`);
}

/** An element of a stream, or the error that ended it; empty lines only keep the connection alive. */
function printElement(line: string, output: Output): void {
  const { [problemMember]: problem } = (line.startsWith('{') ? JSON.parse(line) : {}) as {
    [problemMember]?: { status: number };
  };
  if (problem) printAnswer(problem.status, JSON.stringify(problem), output);
  else if (line !== '') output.print(line);
}

function printAnswer(status: number, text: string, output: Output): void {
  let document: unknown;
  try {
    document = text === '' ? undefined : JSON.parse(text);
  } catch {
    document = text;
  }
  const shown = typeof document === 'string' ? document : JSON.stringify(document, null, 2);
  if (status < 300) {
    output.print(
      output.json ? JSON.stringify({ status, value: document ?? null }, null, 2) : (shown ?? `done (${status})`),
    );
    return;
  }
  const { code, detail, data } = (document ?? {}) as { code?: string; detail?: string; data?: unknown };
  throw new FlotillaError(code ?? 'BAD_RESPONSE', detail ?? `the callee answered ${status}`, {
    httpStatus: status,
    data,
    fromPeer: true,
  });
}
