import { errorTable, problemMediaType } from '@flotilla/core';
import { eventStreamMediaType, ndjsonMediaType } from '@flotilla/http';
import { type JsonSchema, operationKinds } from '../contract/index.ts';
import { jsonSchemaOf } from '../contract/schema.ts';
import { withoutFields } from './components.ts';
import { type Described, type Json, outputSchema } from './described.ts';

/** Every answer of an operation: its success, its own errors by status, and the platform's. */
export function responsesOf(described: Described): Json {
  const { mapping } = described;
  const ownErrors = errorResponses(described);
  const refusals = refusedStatuses(described).filter((status) => !Object.hasOwn(ownErrors, status));
  return {
    [mapping.status]: success(described),
    ...(mapping.answer && mapping.method === 'GET' && { 304: { description: 'The caller has these bytes already.' } }),
    ...Object.fromEntries(refusals.map((status) => [status, problemReference])),
    ...ownErrors,
    default: problemReference,
  };
}

/** The problem document of the platform's errors (RFC 9457). */
export const problemComponents: { readonly schemas: Json; readonly responses: Json } = Object.freeze({
  schemas: {
    Problem: {
      type: 'object',
      description: 'RFC 9457. Whether to try again follows from code, executed and retryAfterMs.',
      properties: {
        type: { type: 'string' },
        title: { type: 'string' },
        status: { type: 'integer' },
        detail: { type: 'string' },
        code: { type: 'string', examples: Object.keys(errorTable).slice(0, 3) },
        executed: { enum: ['no', 'unknown', 'yes'], description: 'Was the work done?' },
        retryAfterMs: { type: 'number' },
        data: {},
        traceId: { type: 'string' },
      },
      required: ['type', 'title', 'status', 'detail', 'code', 'executed'],
    },
  },
  responses: {
    Problem: {
      description: 'An error of the platform.',
      content: { [problemMediaType]: { schema: { $ref: '#/components/schemas/Problem' } } },
    },
  },
});

const problemReference: Json = Object.freeze({ $ref: '#/components/responses/Problem' });

function refusedStatuses({ mapping }: Described): number[] {
  const { INVALID_INPUT, BODY_TOO_LARGE, UNSUPPORTED_MEDIA_TYPE } = errorTable;
  const withBody = mapping.rest === 'body' || mapping.body !== undefined;
  const taken = withBody || mapping.rest !== 'none';
  return [
    ...(taken ? [INVALID_INPUT.httpStatus] : []),
    ...(withBody ? [BODY_TOO_LARGE.httpStatus, UNSUPPORTED_MEDIA_TYPE.httpStatus] : []),
  ];
}

function success(described: Described): Json {
  const { operation, mapping } = described;
  const headers = headersOf(described);
  const shown = Object.keys(headers).length > 0 ? { headers } : undefined;
  if (operation.kind === 'notify') return { description: 'Taken; there is no answer.', ...shown };
  if (mapping.answer) {
    const content = Object.fromEntries(mapping.answer.types.map((type) => [type, {}]));
    return { description: 'The bytes.', headers: { ...headers, ...byteHeaders }, content };
  }
  if (operationKinds[operation.kind].response === 'many')
    return { description: streamDescription, content: streamContent(described), ...shown };
  if (!operation.out) return { description: 'Done.', ...shown };
  return { description: 'The answer.', ...shown, content: { 'application/json': { schema: answerSchema(described) } } };
}

const byteHeaders: Json = Object.freeze({
  etag: { schema: { type: 'string' } },
  'content-disposition': { schema: { type: 'string' } },
});

const streamDescription =
  'One element after the other. In newline-delimited JSON each is a line, and a stream that breaks ends with the line ' +
  '{"flotilla:problem": …}. As server-sent events each is the data of an event; `event: end` or `event: error` is the last one.';

/** OpenAPI 3.1 has no word for "many of these": the schema is that of one element. */
function streamContent(described: Described): Json {
  const schema = described.operation.out ? answerSchema(described) : {};
  return { [ndjsonMediaType]: { schema }, [eventStreamMediaType]: { schema } };
}

function answerSchema(described: Described): JsonSchema {
  const { id, components, mapping } = described;
  const root = outputSchema(described);
  const elsewhere = [...Object.keys(mapping.responseHeaders), ...Object.keys(mapping.setCookies)];
  return components.add(`${id}.output`, root && withoutFields(root, elsewhere));
}

function headersOf(described: Described): Record<string, Json> {
  const { mapping, components, id } = described;
  const root = outputSchema(described);
  const headers: Record<string, Json> = {};
  if (mapping.location !== undefined) {
    headers['location'] = { description: mapping.location, schema: { type: 'string' } };
  }
  for (const [field, name] of Object.entries(mapping.responseHeaders)) {
    headers[name] = { schema: (root && components.field(`${id}.answer`, root, field)) ?? { type: 'string' } };
  }
  if (Object.keys(mapping.setCookies).length > 0) headers['set-cookie'] = { schema: { type: 'string' } };
  return headers;
}

/** Errors of one status are one response: a caller tells them apart by `code`. */
function errorResponses({ operation, components, id }: Described): Record<string, Json> {
  const byStatus = new Map<number, { readonly code: string; readonly schema: JsonSchema }[]>();
  for (const [code, { status, schema: data }] of Object.entries(operation.errors)) {
    const own = data && components.add(`${id}.${code}`, jsonSchemaOf(data, 'output'));
    const schema = {
      allOf: [
        { $ref: '#/components/schemas/Problem' },
        {
          type: 'object',
          properties: { code: { const: code }, ...(own && { data: own }) },
          required: ['code', ...(own ? ['data'] : [])],
        },
      ],
    };
    byStatus.set(status, [...(byStatus.get(status) ?? []), { code, schema }]);
  }
  const responses: Record<string, Json> = {};
  for (const [status, errors] of byStatus) {
    const schemas = errors.map(({ schema }) => schema);
    responses[status] = {
      description: errors.map(({ code }) => code).join(', '),
      content: { [problemMediaType]: { schema: schemas.length === 1 ? schemas[0] : { oneOf: schemas } } },
    };
  }
  return responses;
}
