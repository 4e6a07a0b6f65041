/** Names that nearly all requests consist of. */
const common = [
  'accept',
  'accept-charset',
  'accept-encoding',
  'accept-language',
  'authorization',
  'baggage',
  'cache-control',
  'connection',
  'content-encoding',
  'content-language',
  'content-length',
  'content-type',
  'cookie',
  'date',
  'discoveryidentity-id',
  'discoveryidentity-name',
  'discoveryidentity-version',
  'expect',
  'flotilla-timeout-ms',
  'forwarded',
  'host',
  'idempotency-key',
  'if-match',
  'if-modified-since',
  'if-none-match',
  'if-unmodified-since',
  'keep-alive',
  'last-event-id',
  'origin',
  'pragma',
  'priority',
  'range',
  'referer',
  'sec-fetch-dest',
  'sec-fetch-mode',
  'sec-fetch-site',
  'sec-websocket-extensions',
  'sec-websocket-key',
  'sec-websocket-protocol',
  'sec-websocket-version',
  'te',
  'traceparent',
  'tracestate',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'upgrade-insecure-requests',
  'user-agent',
  'x-forwarded-for',
  'x-forwarded-host',
  'x-forwarded-port',
  'x-forwarded-proto',
  'x-real-ip',
  'x-request-id',
  'x-requested-with',
] as const;

/** Of a power of two, so that a number is cut to it by its bits. Twice as many would hold no fewer names in one place. */
const places = 512;

/** Of each place its names; nearly all have one. */
const table: readonly (readonly string[] | undefined)[] = fill();

function fill(): (string[] | undefined)[] {
  const filled = new Array<string[] | undefined>(places).fill(undefined);
  for (const name of common) {
    const bytes = Buffer.from(name);
    const place = placeOf(bytes, 0, bytes.length);
    filled[place] = [...(filled[place] ?? []), name];
  }
  return filled;
}

/**
 * A field name in lower case. Of a common one it is always the same string, made of no byte of the message.
 * @param bytes from `start` to `end` a token
 */
export function fieldName(bytes: Buffer, start: number, end: number): string {
  const names = table[placeOf(bytes, start, end)];
  if (names) for (const name of names) if (isName(name, bytes, start, end)) return name;
  return bytes.toString('latin1', start, end).toLowerCase();
}

/** By its length, its first, its middle and its last byte; that the case of a letter makes no difference is one bit. */
function placeOf(bytes: Uint8Array, start: number, end: number): number {
  const first = (bytes[start] as number) | 0x20;
  const middle = (bytes[(start + end) >> 1] as number) | 0x20;
  const last = (bytes[end - 1] as number) | 0x20;
  return (first * 7 + middle * 31 + last * 113 + (end - start) * 13) & (places - 1);
}

/** Common names consist of letters, digits and "-": of the bytes of tokens, that bit makes only letters one. */
function isName(name: string, bytes: Uint8Array, start: number, end: number): boolean {
  if (name.length !== end - start) return false;
  for (let at = 0; at < name.length; at++) {
    if (((bytes[start + at] as number) | 0x20) !== name.charCodeAt(at)) return false;
  }
  return true;
}
