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
 * nothing names come from the query for GET and DELETE, and are the JSON body for POST, PUT and PATCH. What travels
 * elsewhere is not in the body, in either direction.
 */
export interface HttpOptions {
  /** Of a success, 200 to 299. Default 200; 204 without output; 202 for `notify`. */
  readonly status?: number;
  /** The header `location` of a success, filled from the output, percent-encoded: `/orders/{id}`. */
  readonly location?: string;
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
export interface HttpBinding extends HttpOptions {
  readonly method: HttpMethod;
  /** Segments of text, or of one parameter: `/products/{id}/reviews`. */
  readonly path: string;
}

/** `get('/products/{id}')`: remaining fields come from the query. Answers HEAD too. */
export function get(path: string, options?: HttpOptions): HttpBinding {
  return bind('GET', path, options);
}

/** `post('/reservations', 201)` or `post('/orders', { status: 201, location: '/orders/{id}' })` */
export function post(path: string, options?: number | HttpOptions): HttpBinding {
  return bind('POST', path, options);
}

export function put(path: string, options?: number | HttpOptions): HttpBinding {
  return bind('PUT', path, options);
}

export function patch(path: string, options?: number | HttpOptions): HttpBinding {
  return bind('PATCH', path, options);
}

/** DELETE; `delete` is a word of the language. Remaining fields come from the query. */
export function del(path: string, options?: number | HttpOptions): HttpBinding {
  return bind('DELETE', path, options);
}

function bind(method: HttpMethod, path: string, options: number | HttpOptions = {}): HttpBinding {
  return Object.freeze({ ...(typeof options === 'number' ? { status: options } : options), method, path });
}
