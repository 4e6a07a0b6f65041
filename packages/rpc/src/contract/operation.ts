import type { BytesBody } from './bodies.ts';
import type { Declarations, ErrorSpecs, NoErrors } from './declared-error.ts';
import type { Coercions, HttpBinding } from './http-binding.ts';
import type { JsonOutput } from './json-output.ts';
import type { InputOf, OutputOf, Schema, VoidSchema } from './schema.ts';

/** What an operation is, seen from outside; {@link operationKinds} has how many messages go each way. */
export type OperationKind = 'query' | 'command' | 'stream' | 'upload' | 'duplex' | 'notify';

/** How many messages go one way. */
export type Cardinality = 'none' | 'one' | 'many';

/** How many messages each kind has in each direction. */
export const operationKinds: {
  readonly [Kind in OperationKind]: { readonly request: Cardinality; readonly response: Cardinality };
} = Object.freeze({
  query: { request: 'one', response: 'one' },
  command: { request: 'one', response: 'one' },
  stream: { request: 'one', response: 'many' },
  upload: { request: 'many', response: 'one' },
  duplex: { request: 'many', response: 'many' },
  notify: { request: 'one', response: 'none' },
});

/** What every builder takes. */
export interface NotifySpec<I extends Schema, Errors, AddedIn = unknown, AddedParsed = unknown> {
  /** Of the input. The server parses it once; the client sends what it is given. Default: no input. */
  readonly in?: I;
  /** The errors that the operation may answer, besides the platform's. */
  readonly errors?: Declarations<Errors>;
  /** Its own address. Default: `POST /{contract}/v{version}/{operation}` with the input as JSON body. */
  readonly http?: HttpBinding<AddedIn, AddedParsed>;
  /** Types of fields that come as text, for a schema that gives no JSON Schema. Wins over one that does. */
  readonly coerce?: Coercions;
  /** True when doing it twice does no harm: it is then retried after an unknown outcome. Default false. */
  readonly idempotent?: boolean;
}

/** For operations that have no answer. */
export interface NotificationSpec<I extends Schema, Errors, AddedIn = unknown, AddedParsed = unknown>
  extends NotifySpec<I, Errors, AddedIn, AddedParsed> {
  /**
   * Whether the caller learns that it was taken. Default true. False: over RSocket it is fired and forgotten, which saves the answer,
   * and its caller hears of no refusal, no failure and no loss, so it is never repeated once it was written. For what is
   * worth nothing a second later: a position, a reading of a gauge. Over HTTP it is answered all the same.
   */
  readonly acknowledged?: boolean;
}

/** For operations that change something and answer. */
export interface CommandSpec<I extends Schema, O extends Schema, Errors, AddedIn = unknown, AddedParsed = unknown>
  extends NotifySpec<I, Errors, AddedIn, AddedParsed> {
  /** Of the output: JSON, its input and output the same; or `bytes()`, `byteStream()`. Default: no output. */
  readonly out?: O & Answer<O>;
}

/** For operations that change nothing: always idempotent. */
export interface QuerySpec<I extends Schema, O extends Schema, Errors, AddedIn = unknown, AddedParsed = unknown>
  extends CommandSpec<I, O, Errors, AddedIn, AddedParsed> {
  readonly idempotent?: never;
}

/** For operations that answer one element after the other. */
export interface StreamSpec<I extends Schema, O extends Schema, Errors, AddedIn = unknown, AddedParsed = unknown>
  extends NotifySpec<I, Errors, AddedIn, AddedParsed> {
  /** Of each element: JSON, its input and output the same. For a stream of bytes see `byteStream()`, as output of a query. */
  readonly out?: O & JsonOutput<O>;
  readonly idempotent?: never;
}

/** For operations that are sent one element after the other. */
export interface UploadSpec<I extends Schema, O extends Schema, Errors> {
  /** Of each element that is sent. The server parses it once; the client sends what it is given. */
  readonly in: I;
  /** Of the output: JSON, its input and output the same. Default: no output. */
  readonly out?: O & JsonOutput<O>;
  /** The errors that the operation may answer, besides the platform's. */
  readonly errors?: Declarations<Errors>;
  /** Its own address: POST or PUT to a path without parameters. Default: `POST /{contract}/v{version}/{operation}`. */
  readonly http?: HttpBinding;
}

/** For operations in which both sides send one element after the other. */
export interface DuplexSpec<I extends Schema, O extends Schema, Errors> extends UploadSpec<I, O, Errors> {
  /** Of each element that is answered: JSON, its input and output the same. */
  readonly out: O & JsonOutput<O>;
}

type Answer<O extends Schema> = O extends BytesBody<unknown, unknown, unknown> ? unknown : JsonOutput<O>;

/** An input and what its body adds to it. */
export type Joined<Input, Added> = unknown extends Added
  ? Input
  : Input extends object
    ? Flat<Input & Added>
    : Flat<Added>;

type Flat<T> = { [Name in keyof T]: T[Name] };

/** An operation as its contract holds it. The types were worked out once, by its builder. */
export interface Operation<Kind extends OperationKind, In, Parsed, Out, Errors> {
  readonly kind: Kind;
  readonly in: Schema | undefined;
  readonly out: Schema | undefined;
  readonly errors: ErrorSpecs;
  readonly http: HttpBinding | undefined;
  readonly coerce: Coercions | undefined;
  readonly idempotent: boolean;
  /** False of a notification that is fired and forgotten. */
  readonly acknowledged: boolean;
  /** Members of the builder's argument that mean nothing: `contract()` refuses them, with the operation's name. */
  readonly unknownOptions: readonly string[];
  /** Never set: carries the types. */
  readonly '~types'?: { readonly in: In; readonly parsed: Parsed; readonly out: Out; readonly errors: Errors };
}

export type AnyOperation = Operation<OperationKind, unknown, unknown, unknown, unknown>;

// NoInfer: else `contract()`, which takes operations with any errors, would make them unknown where none are declared.

/** One request, one answer, nothing changes: repeated freely. */
export function query<
  I extends Schema = VoidSchema,
  O extends Schema = VoidSchema,
  Errors = NoErrors,
  AddedIn = unknown,
  AddedParsed = unknown,
>(
  spec: QuerySpec<I, O, Errors, AddedIn, AddedParsed>,
): Operation<'query', Joined<InputOf<I>, AddedIn>, Joined<OutputOf<I>, AddedParsed>, OutputOf<O>, NoInfer<Errors>> {
  return build('query', spec, true);
}

/** One request, one answer, something changes. */
export function command<
  I extends Schema = VoidSchema,
  O extends Schema = VoidSchema,
  Errors = NoErrors,
  AddedIn = unknown,
  AddedParsed = unknown,
>(
  spec: CommandSpec<I, O, Errors, AddedIn, AddedParsed>,
): Operation<'command', Joined<InputOf<I>, AddedIn>, Joined<OutputOf<I>, AddedParsed>, OutputOf<O>, NoInfer<Errors>> {
  return build('command', spec, spec.idempotent ?? false);
}

/** One request, many answers: `out` is the schema of each. Goes out as SSE or as one JSON document per line. */
export function stream<
  I extends Schema = VoidSchema,
  O extends Schema = VoidSchema,
  Errors = NoErrors,
  AddedIn = unknown,
  AddedParsed = unknown,
>(
  spec: StreamSpec<I, O, Errors, AddedIn, AddedParsed>,
): Operation<'stream', Joined<InputOf<I>, AddedIn>, Joined<OutputOf<I>, AddedParsed>, OutputOf<O>, NoInfer<Errors>> {
  return build('stream', spec, true);
}

/**
 * One request, no answer: the caller learns that the callee took it (202), or why it did not. The handler has ended by
 * then, so that its failure is not lost and draining waits for it; a handler that wants to answer sooner queues. With
 * `acknowledged: false` the caller learns nothing, where the transport can do without an answer.
 */
export function notify<I extends Schema = VoidSchema, Errors = NoErrors, AddedIn = unknown, AddedParsed = unknown>(
  spec: NotificationSpec<I, Errors, AddedIn, AddedParsed>,
): Operation<'notify', Joined<InputOf<I>, AddedIn>, Joined<OutputOf<I>, AddedParsed>, void, NoInfer<Errors>> {
  return build('notify', spec, spec.idempotent ?? false);
}

/**
 * Many elements in, one answer: `in` is the schema of each. The handler gets an async iterable, and asks for an element
 * when it has room for one, which slows the sender. Goes out as one JSON document per line, or as a channel of RSocket.
 * It cannot be repeated once elements are gone, so it never counts as idempotent.
 */
export function upload<I extends Schema, O extends Schema = VoidSchema, Errors = NoErrors>(
  spec: UploadSpec<I, O, Errors>,
): Operation<'upload', InputOf<I>, OutputOf<I>, OutputOf<O>, NoInfer<Errors>> {
  return build('upload', spec, false);
}

/**
 * Many elements in, many out, both at the pace of who reads them: `in` and `out` are the schemas of each. Either side may
 * end first. Over HTTP/1.1 the answer begins while the request is still being sent, which proxies may not pass on; a
 * channel of RSocket has no such trouble.
 */
export function duplex<I extends Schema, O extends Schema, Errors = NoErrors>(
  spec: DuplexSpec<I, O, Errors>,
): Operation<'duplex', InputOf<I>, OutputOf<I>, OutputOf<O>, NoInfer<Errors>> {
  return build('duplex', spec, false);
}

const specKeys: ReadonlySet<string> = new Set(['in', 'out', 'errors', 'http', 'coerce', 'idempotent']);

interface AnySpec {
  readonly in?: Schema;
  readonly out?: Schema;
  readonly errors?: ErrorSpecs;
  readonly http?: HttpBinding;
  readonly coerce?: Coercions;
  readonly acknowledged?: boolean;
}

function build<Kind extends OperationKind>(
  kind: Kind,
  spec: AnySpec,
  idempotent: boolean,
): Operation<Kind, never, never, never, never> {
  return Object.freeze({
    kind,
    in: spec.in,
    out: spec.out,
    errors: Object.freeze({ ...spec.errors }),
    http: spec.http,
    coerce: spec.coerce,
    idempotent,
    acknowledged: spec.acknowledged ?? true,
    unknownOptions: Object.keys(spec).filter((key) => !isOption(kind, key)),
  });
}

function isOption(kind: OperationKind, key: string): boolean {
  if (key === 'idempotent') return kind === 'command' || kind === 'notify';
  if (key === 'acknowledged') return kind === 'notify';
  if (key === 'out') return kind !== 'notify';
  if (key === 'coerce') return operationKinds[kind].request !== 'many';
  return specKeys.has(key);
}
