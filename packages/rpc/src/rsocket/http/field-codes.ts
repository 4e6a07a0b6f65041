/**
 * Header fields that nearly all messages between services consist of. Each has a code of one character, its place in the
 * list: so a name takes one byte, and whoever reads it gets the same string each time, which compares at once. A new name goes
 * to the end; a place that was given is never given again.
 */
const requestNames = [
  'accept',
  'accept-encoding',
  'accept-language',
  'authorization',
  'baggage',
  'cache-control',
  'content-encoding',
  'content-length',
  'content-type',
  'cookie',
  'flotilla-attempt',
  'flotilla-timeout-ms',
  'forwarded',
  'idempotency-key',
  'if-match',
  'if-modified-since',
  'if-none-match',
  'last-event-id',
  'origin',
  'pragma',
  'priority',
  'range',
  'referer',
  'sec-ch-ua',
  'sec-ch-ua-mobile',
  'sec-ch-ua-platform',
  'sec-fetch-dest',
  'sec-fetch-mode',
  'sec-fetch-site',
  'traceparent',
  'tracestate',
  'upgrade-insecure-requests',
  'user-agent',
  'via',
  'x-forwarded-for',
  'x-forwarded-host',
  'x-forwarded-port',
  'x-forwarded-proto',
  'x-request-id',
  'x-requested-with',
] as const;

/** The same of answers. */
const answerNames = [
  'accept-ranges',
  'access-control-allow-credentials',
  'access-control-allow-headers',
  'access-control-allow-methods',
  'access-control-allow-origin',
  'access-control-expose-headers',
  'access-control-max-age',
  'age',
  'allow',
  'cache-control',
  'content-disposition',
  'content-encoding',
  'content-language',
  'content-length',
  'content-location',
  'content-range',
  'content-security-policy',
  'content-type',
  'date',
  'etag',
  'expires',
  'last-modified',
  'link',
  'location',
  'pragma',
  'referrer-policy',
  'retry-after',
  'server',
  'server-timing',
  'set-cookie',
  'strict-transport-security',
  'vary',
  'via',
  'www-authenticate',
  'x-content-type-options',
  'x-frame-options',
  'x-request-id',
] as const;

/** What no name begins with as it stands in an entry: a capital letter, or no character of a token. */
const codes = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ"(),/;<=>?@[\\]{}';

/** Names and their codes, for one kind of message. */
export interface FieldCodes {
  readonly codeOf: ReadonlyMap<string, string>;
  /** By the number of the code's character. */
  readonly names: readonly (string | undefined)[];
}

export const requestFieldCodes: FieldCodes = fieldCodes(requestNames);
export const answerFieldCodes: FieldCodes = fieldCodes(answerNames);

function fieldCodes(list: readonly string[]): FieldCodes {
  if (list.length > codes.length) throw new RangeError(`there are ${codes.length} codes, for ${list.length} names`);
  const codeOf = new Map(list.map((name, place) => [name, codes[place] as string]));
  const names = new Array<string | undefined>(128).fill(undefined);
  for (const [name, code] of codeOf) names[code.charCodeAt(0)] = name;
  return { codeOf, names };
}
