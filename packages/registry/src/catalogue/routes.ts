import { FlotillaError } from '@flotilla/core';
import { type HttpHandler, type HttpResponse, type RouteSpec, readBody } from '@flotilla/http';
import type { Access } from '../server/access.ts';
import { assertMaySpeakFor, type GuardedHandler, type GuardedRequest, guard } from '../server/guard.ts';
import type { Registry } from '../server/registry.ts';
import { emptyResponse, jsonResponse, readQuery, textResponse } from '../server/request-parts.ts';
import type { Catalogue } from './catalogue.ts';
import { maxDocumentBytes } from './contract-document.ts';
import type { FieldShape, MessageShape } from './message-shape.ts';

/**
 * The catalogue of contracts.
 *
 * | request | answer |
 * |---|---|
 * | `PUT /v1/services/{service}/contracts/{hash}` | 204: takes the text of a contract in, which a registration was asked for (`wants`) |
 * | `GET /v1/contracts` | every contract, who serves and who calls it, and where they do not fit together |
 * | `GET /v1/contracts/{name}/versions/{version}` | one of them with its operations and their fields |
 * | `GET /v1/contracts/{name}/versions/{version}/texts/{hash}` | the text of one of its forms, for who calls it without having it |
 * | `GET …/impact?operation=&field=` | who calls the operation, and whether each `breaks`, `uses` it, is `unaffected` or `unknown` if the field (`out.price`, `in.items[].sku`), or without one the operation, goes |
 */
export function catalogueRoutes(registry: Registry, access: Access): RouteSpec<HttpHandler>[] {
  const { catalogue } = registry;
  const route = (method: string, path: string, handler: GuardedHandler): RouteSpec<HttpHandler> => ({
    path,
    methods: [method],
    value: guard(access, handler),
  });
  const contract = '/v1/contracts/{name}/versions/{version}';
  return [
    route('PUT', '/v1/services/{service}/contracts/{hash}', (guarded) => takeText(registry, guarded)),
    route('GET', '/v1/contracts', async () =>
      jsonResponse({ contracts: catalogue.contracts(), broken: catalogue.broken() }),
    ),
    route('GET', contract, async (guarded) => show(catalogue, guarded)),
    route('GET', `${contract}/texts/{hash}`, async (guarded) => text(catalogue, guarded)),
    route('GET', `${contract}/impact`, async (guarded) => impact(catalogue, guarded)),
  ];
}

async function takeText(registry: Registry, { request, call, who, params }: GuardedRequest): Promise<HttpResponse> {
  assertMaySpeakFor(who, params.get('service') ?? '');
  const hash = params.get('hash') ?? '';
  if (!/^[0-9a-f]{16}$/.test(hash)) {
    throw new FlotillaError('INVALID_INPUT', 'a contract is named by its fingerprint, 16 hexadecimal digits');
  }
  const body = await readBody(request.body, maxDocumentBytes, call);
  try {
    registry.addContract(hash, new TextDecoder('utf-8', { fatal: true }).decode(body));
  } catch (cause) {
    if (cause instanceof FlotillaError) throw cause;
    throw new FlotillaError('MALFORMED_REQUEST', 'the text of a contract has to be JSON in UTF-8', { cause });
  }
  return emptyResponse(204);
}

function show(catalogue: Catalogue, { params }: GuardedRequest): HttpResponse {
  const [name, version] = contractOf(params);
  const forms = catalogue.forms(name, version).map(({ hash, operations }) => ({
    hash,
    operations: Array.from(operations.values(), ({ input, output, ...operation }) => ({
      ...operation,
      in: fieldsOf(input),
      out: fieldsOf(output),
    })),
  }));
  const broken = catalogue.broken(`${name} v${version}`);
  return jsonResponse({ ...partiesOf(catalogue, name, version), forms, broken });
}

function text(catalogue: Catalogue, { params }: GuardedRequest): HttpResponse {
  const [name, version] = contractOf(params);
  const hash = params.get('hash') ?? '';
  const { providers, callers } = partiesOf(catalogue, name, version);
  const said = [...providers, ...callers].some((party) => party.hash === hash) ? catalogue.text(hash) : undefined;
  if (said === undefined) {
    throw new FlotillaError(
      'NO_ROUTE',
      `no form "${hash.slice(0, 80)}" of the contract "${name}" version ${version} is known here`,
    );
  }
  return textResponse(said);
}

function impact(catalogue: Catalogue, { request, params }: GuardedRequest): HttpResponse {
  const [name, version] = contractOf(params);
  const query = readQuery(request.query, ['operation', 'field']);
  const [operation, field] = [query.get('operation'), query.get('field')];
  if (operation === undefined || operation === '') {
    throw new FlotillaError('INVALID_INPUT', 'the query has to name an operation: ?operation=product');
  }
  if (field !== undefined && !/^(?:in|out)(?:\.|$)/.test(field)) {
    throw new FlotillaError('INVALID_INPUT', `field must begin with "in." or "out.", got "${field.slice(0, 80)}"`);
  }
  partiesOf(catalogue, name, version);
  return jsonResponse({
    name,
    version,
    operation,
    ...(field === undefined ? undefined : { field }),
    callers: catalogue.impact(name, version, operation, field),
  });
}

function partiesOf(catalogue: Catalogue, name: string, version: number): NonNullable<ReturnType<Catalogue['parties']>> {
  const parties = catalogue.parties(name, version);
  if (!parties) throw new FlotillaError('NO_ROUTE', `nobody serves or calls the contract "${name}" version ${version}`);
  return parties;
}

function contractOf(params: ReadonlyMap<string, string>): [name: string, version: number] {
  const version = params.get('version') ?? '';
  if (!/^[0-9]{1,9}$/.test(version)) {
    throw new FlotillaError(
      'INVALID_INPUT',
      `the version of a contract is a whole number, got "${version.slice(0, 80)}"`,
    );
  }
  return [params.get('name') ?? '', Number(version)];
}

function fieldsOf(shape: MessageShape | undefined): unknown {
  return shape ? Object.fromEntries(Array.from(shape, ([path, field]) => [path, fieldText(field)])) : null;
}

function fieldText({ required, types, values }: FieldShape): unknown {
  return {
    types: [...types],
    required,
    ...(values ? { values: [...values].map((text) => JSON.parse(text)) } : undefined),
  };
}
