/** What a byte may be part of, as bits: one look in {@link octets} answers for each kind. */
export const kind = {
  /** A token: a method, a field name (RFC 9110 §5.6.2). */
  token: 1,
  /** A field value or a chunk extension: visible, blank, tab, or 8-bit, which RFC 9110 §5.5 calls opaque. */
  text: 2,
  /** A request target: visible ASCII without `#`, of which no request may have one (RFC 9112 §3.2). */
  target: 4,
} as const;

export const carriageReturn = 0x0d;
export const lineFeed = 0x0a;
export const blank = 0x20;
export const tab = 0x09;
export const colon = 0x3a;
export const semicolon = 0x3b;

/** The kinds of each byte. */
export const octets: Uint8Array = kinds();

function kinds(): Uint8Array {
  const table = new Uint8Array(256);
  for (let byte = 0x20; byte <= 0xff; byte++) if (byte !== 0x7f) table[byte] = kind.text;
  table[tab] = kind.text;
  for (let byte = 0x21; byte <= 0x7e; byte++) if (byte !== 0x23) mark(table, byte, kind.target);
  for (const [from, to] of [
    ['0', '9'],
    ['A', 'Z'],
    ['a', 'z'],
  ] as const) {
    for (let byte = codeOf(from); byte <= codeOf(to); byte++) mark(table, byte, kind.token);
  }
  for (const sign of "!#$%&'*+-.^_`|~") mark(table, codeOf(sign), kind.token);
  return table;
}

function mark(table: Uint8Array, byte: number, bit: number): void {
  table[byte] = (table[byte] as number) | bit;
}

function codeOf(character: string): number {
  return character.charCodeAt(0);
}
