import { formMediaType, multipartMediaType, ndjsonMediaType } from '@flotilla/http';
import { concreteTypes, type JsonSchema, type MultipartMapping } from '../contract/index.ts';
import { isRecord, needsValue, withoutFields } from './components.ts';
import { type Described, inputSchema, type Json } from './described.ts';
import { schemaOfShape } from './parameters.ts';

/** How an operation's body is sent; undefined when it has none. */
export function requestBodyOf(described: Described): Json | undefined {
  const { mapping } = described;
  const { body } = mapping;
  switch (body?.kind) {
    case 'bytes':
    case 'byteStream':
      return {
        description: `At most ${body.maxBytes} bytes.`,
        required: true,
        content: Object.fromEntries(body.types.map((type) => [type, {}])),
      };
    case 'form':
      return {
        description: `At most ${body.maxBytes} bytes in ${body.maxFields} fields.`,
        required: needsValue(inputSchema(described)),
        content: { [formMediaType]: { schema: fieldsSchema(described) } },
      };
    case 'elements':
      return elementsBody(described);
    case 'multipart':
      return multipartBody(described, body);
    default:
      return mapping.rest === 'body' ? jsonBody(described, body?.maxBytes) : undefined;
  }
}

/** OpenAPI 3.1 has no word for "many of these": the schema is that of one element. */
function elementsBody(described: Described): Json {
  const schema = described.components.add(`${described.id}.input`, inputSchema(described));
  return {
    description: 'One element after the other, each a line of newline-delimited JSON.',
    required: true,
    content: { [ndjsonMediaType]: { schema } },
  };
}

function jsonBody(described: Described, maxBytes: number | undefined): Json {
  const rest = restSchema(described);
  return {
    ...(maxBytes === undefined ? undefined : { description: `At most ${maxBytes} bytes.` }),
    required: rest === undefined || needsValue(rest),
    content: { 'application/json': { schema: fieldsSchema(described) } },
  };
}

/** What is left for the body of the input. */
function restSchema(described: Described): JsonSchema | undefined {
  const root = inputSchema(described);
  return root && withoutFields(root, Object.keys(described.mapping.places));
}

function fieldsSchema(described: Described): JsonSchema {
  const { id, components, mapping } = described;
  const rest = restSchema(described) ?? coercedFields(described);
  const whole = Object.keys(mapping.places).length === 0;
  return components.add(whole ? `${id}.input` : `${id}.body`, rest);
}

/** A form whose validator gives no schema has at least the fields that `coerce` names. */
function coercedFields({ mapping }: Described): JsonSchema | undefined {
  if (!mapping.body || mapping.rest !== 'body') return undefined;
  const fields = Object.entries(mapping.texts).filter(([field]) => !Object.hasOwn(mapping.places, field));
  if (fields.length === 0) return undefined;
  return {
    type: 'object',
    properties: Object.fromEntries(fields.map(([field, shape]) => [field, schemaOfShape(shape)])),
  };
}

/** Fields, then files. A form field may hold several files, so each is a list. */
function multipartBody(described: Described, body: MultipartMapping): Json {
  const { id, components, mapping } = described;
  const type = body.types.length === 1 ? concreteTypes(body.types)[0] : undefined;
  const file: JsonSchema = { type: 'string', contentMediaType: type ?? 'application/octet-stream' };
  const files: JsonSchema = { type: 'array', items: file, maxItems: body.maxFiles };
  const named: JsonSchema = Object.fromEntries(body.fileFields.map((field) => [field, files]));
  const anyField = body.fileFields.length === 0 ? { additionalProperties: files } : undefined;
  const fields = mapping.rest === 'body' ? (restSchema(described) ?? coercedFields(described)) : { type: 'object' };
  if (!fields) components.add(`${id}.body`, undefined); // warns
  const plain = fields && isRecord(fields['properties']) ? fields : undefined;
  const schema: JsonSchema = plain
    ? { ...plain, properties: { ...(plain['properties'] as object), ...named }, ...anyField }
    : {
        type: 'object',
        ...(fields && Object.keys(fields).length > 1 ? { allOf: [fields] } : {}),
        properties: named,
        ...anyField,
      };
  const contentType = body.types.join(', ');
  const encoding = Object.fromEntries(body.fileFields.map((field) => [field, { contentType }]));
  return {
    description:
      `Fields first, then files: at most ${body.maxBytes} bytes in all, ${body.maxFiles} files of ${body.maxFileBytes} bytes ` +
      `of ${contentType}, ${body.maxFields} fields of ${body.maxFieldBytes} bytes.`,
    required: true,
    content: {
      [multipartMediaType]: {
        schema: components.add(`${id}.form`, schema),
        ...(body.fileFields.length > 0 && { encoding }),
      },
    },
  };
}
