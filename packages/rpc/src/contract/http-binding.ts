import type { RequestBody } from './bodies.ts';

/** Methods that an operation may be bound to. HEAD comes with GET, OPTIONS with each path. */
export type HttpMethod = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

/** How a text of the request becomes a value, where no JSON Schema says so. `[]`: a repeated key, a list. */
export type TextType =
  | 'string'
  | 'number'
  | 'integer'
  | 'boolean'
  | 'string[]'
  | 'number[]'
  | 'integer[]'
  | 'boolean[]';

/** Text field → its type. */
export type Coercions = { readonly [field: string]: TextType };

/** A cookie that an answer sets (RFC 6265 §4.1). */
export interface SetCookie {
  readonly name: string;
  /** Keeps it from scripts. Default true. */
  readonly httpOnly?: boolean;
  /** Only over TLS. Default true; browsers except loopback from it. */
  readonly secure?: boolean;
  /** Default `lax`. */
  readonly sameSite?: 'strict' | 'lax' | 'none';
  /** Default `/`. */
  readonly path?: string;
  /** Seconds until it lapses. Default: with the browser's session. */
  readonly maxAgeSeconds?: number;
}

/**
 * Where the parts of an operation travel in HTTP. Path parameters bind to the input fields of their names. Fields that
 * nothing names come from the query for GET and DELETE, and are the JSON body for POST, PUT and PATCH, or what `body`
 * says. What travels elsewhere is not in the body, in either direction.
 */
export interface HttpOptions<In = unknown, Parsed = unknown> {
  /** Of a success, 200 to 299. Default 200; 204 without output; 202 for `notify`. */
  readonly status?: number;
  /** The header `location` of a success, filled from the output, percent-encoded: `/orders/{id}`. */
  readonly location?: string;
  /**
   * A body that is not plain JSON: `form()`, `multipart()`, `bytes()`, `byteStream()`, or `json()` with a limit of its own.
   * For methods with a body. Beside bytes, fields that nothing names come from the query.
   */
  readonly body?: RequestBody<In, Parsed>;
  /** Input fields from the query, for methods with a body. */
  readonly query?: readonly string[];
  /** Input field → request header. */
  readonly header?: { readonly [field: string]: string };
  /** Input field → request cookie. */
  readonly cookie?: { readonly [field: string]: string };
  /** Output field → response header. */
  readonly responseHeader?: { readonly [field: string]: string };
  /** Output field → cookie that the answer sets. */
  readonly setCookie?: { readonly [field: string]: SetCookie };
}

/** An operation's own address. */
export interface HttpBinding<In = unknown, Parsed = unknown> extends HttpOptions<In, Parsed> {
  readonly method: HttpMethod;
  /** Segments of text, or of one parameter: `/products/{id}/reviews`. */
  readonly path: string;
}

/** `get('/products/{id}')`: remaining fields come from the query. Answers HEAD too. */
export function get(path: string, options?: Omit<HttpOptions, 'body'>): HttpBinding {
  return bind('GET', path, options);
}

/** `post('/reservations', 201)` or `post('/orders', { status: 201, location: '/orders/{id}' })` */
export function post<In = unknown, Parsed = unknown>(
  path: string,
  options?: number | HttpOptions<In, Parsed>,
): HttpBinding<In, Parsed> {
  return bind('POST', path, options);
}

export function put<In = unknown, Parsed = unknown>(
  path: string,
  options?: number | HttpOptions<In, Parsed>,
): HttpBinding<In, Parsed> {
  return bind('PUT', path, options);
}

export function patch<In = unknown, Parsed = unknown>(
  path: string,
  options?: number | HttpOptions<In, Parsed>,
): HttpBinding<In, Parsed> {
  return bind('PATCH', path, options);
}

/** DELETE; `delete` is a word of the language. Remaining fields come from the query. */
export function del(path: string, options?: number | Omit<HttpOptions, 'body'>): HttpBinding {
  return bind('DELETE', path, options);
}

function bind<In, Parsed>(
  method: HttpMethod,
  path: string,
  options: number | HttpOptions<In, Parsed> = {},
): HttpBinding<In, Parsed> {
  return Object.freeze({ ...(typeof options === 'number' ? { status: options } : options), method, path });
}
