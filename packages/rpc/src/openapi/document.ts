import { type AnyContract, addressShape, parametersOf as namesIn, parseTemplate } from '../contract/index.ts';
import { Components } from './components.ts';
import type { Described, Json } from './described.ts';
import { parametersOf } from './parameters.ts';
import { requestBodyOf } from './request-body.ts';
import { problemComponents, responsesOf } from './responses.ts';

/** What a document says besides its contracts. */
export interface OpenApiInfo {
  /** Of the service. */
  readonly title: string;
  /** Of the service. Default: of its contracts. */
  readonly version?: string | undefined;
  /** Where it is reached. Default: where the document was found. */
  readonly servers?: readonly string[];
}

/** An OpenAPI document, and what it could not say. */
export interface OpenApi {
  readonly document: Json;
  /** Sentences that name an operation: a schema whose validator gives no JSON Schema is `{}` in the document. */
  readonly warnings: readonly string[];
}

export const openApiMediaType = 'application/vnd.oai.openapi+json;version=3.1';

/**
 * What contracts say, as OpenAPI 3.1.0 (https://spec.openapis.org/oas/v3.1.0): an operation with parameters, bodies of
 * every kind, answers, errors as problem documents. One tag per contract; `operationId` is `contract.operation`, with
 * `.v2` after the contract where two versions of it are served.
 */
export function openApiOf(contracts: readonly AnyContract[], info: OpenApiInfo): OpenApi {
  const components = new Components();
  const versions = contracts.map(({ name, version }) => `${name} ${version}`).join(', ');
  const document = {
    openapi: '3.1.0',
    info: { title: info.title, version: info.version ?? (versions || '0') },
    ...(info.servers && { servers: info.servers.map((url) => ({ url })) }),
    tags: tagsOf(contracts),
    paths: pathsOf(contracts.flatMap((contract) => describe(contract, contracts, components))),
    components: {
      schemas: { ...problemComponents.schemas, ...components.schemas },
      responses: problemComponents.responses,
    },
  };
  return { document, warnings: components.warnings };
}

function tagsOf(contracts: readonly AnyContract[]): Json[] {
  const byName = Map.groupBy(contracts, ({ name }) => name);
  return [...byName].map(([name, versions]) => ({
    name,
    description: `Contract ${name}, version ${versions.map(({ version }) => version).join(' and ')}`,
  }));
}

function describe(contract: AnyContract, all: readonly AnyContract[], components: Components): Described[] {
  const { name, version, operations, http } = contract;
  const several = all.filter((other) => other.name === name).length > 1;
  const prefix = several ? `${name}.v${version}` : name;
  return Object.entries(operations).flatMap(([operation, spec]) => {
    const mapping = http.get(operation);
    return mapping ? [{ id: `${prefix}.${operation}`, tag: name, operation: spec, mapping, components }] : [];
  });
}

/** Templates that take the same paths have to be one (OpenAPI 3.1.0 §4.8.8): the first one names the parameters. */
function pathsOf(described: readonly Described[]): Json {
  const paths: Record<string, Record<string, unknown>> = {};
  const templates = new Map<string, string>();
  for (const one of described) {
    const { method, path } = one.mapping;
    const shape = addressShape('', path);
    const template = templates.get(shape) ?? path;
    templates.set(shape, template);
    paths[template] ??= {};
    paths[template][method.toLowerCase()] = operationOf(one, renamed(path, template));
  }
  return paths;
}

function operationOf(described: Described, pathNames: ReadonlyMap<string, string>): Json {
  const parameters = parametersOf(described, pathNames);
  const requestBody = requestBodyOf(described);
  return {
    operationId: described.id,
    tags: [described.tag],
    ...(parameters.length > 0 && { parameters }),
    ...(requestBody && { requestBody }),
    responses: responsesOf(described),
  };
}

/** Input field → what the path calls it. */
function renamed(path: string, template: string): ReadonlyMap<string, string> {
  const [own, shown] = [path, template].map((text) => {
    const parsed = parseTemplate(text);
    return typeof parsed === 'string' ? [] : namesIn(parsed);
  });
  return new Map(own?.map((name, index) => [name, shown?.[index] ?? name]));
}
