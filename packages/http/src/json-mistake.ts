// The grammar of RFC 8259, one token at a time. Only texts that JSON.parse has refused come here: its own message
// names no position for half of the mistakes, and repeats the text of the document for the rest.

const blank = /[ \t\n\r]*/y;
const plain = /[\x20\x21\x23-\x5b\x5d-\uffff]*/y;
const escaped = /\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})/y;
const scalar = /(?:true|false|null|-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?)/y;

/** What may come next; `…OrEnd` directly after an opening bracket. */
type Expected = 'value' | 'valueOrEnd' | 'name' | 'nameOrEnd' | 'commaOrEnd';

/** @returns where `text` stops being JSON, counted from 0; undefined when it is JSON. */
export function findJsonMistake(text: string): number | undefined {
  const open: ('{' | '[')[] = [];
  let expected: Expected = 'value';
  let at = skip(blank, text, 0);
  while (expected !== 'commaOrEnd' || open.length > 0) {
    const character = text[at] ?? '';
    if (expected === 'value' || expected === 'valueOrEnd') {
      if (character === '[' || character === '{') {
        open.push(character);
        expected = character === '[' ? 'valueOrEnd' : 'nameOrEnd';
        at++;
      } else if (expected === 'valueOrEnd' && character === ']') {
        open.pop();
        expected = 'commaOrEnd';
        at++;
      } else {
        const end = character === '"' ? skipString(text, at) : skip(scalar, text, at);
        if (end === at) return at;
        expected = 'commaOrEnd';
        at = end;
      }
    } else if (expected === 'nameOrEnd' && character === '}') {
      open.pop();
      expected = 'commaOrEnd';
      at++;
    } else if (expected === 'commaOrEnd') {
      const inside = open.at(-1);
      if (character === ',') expected = inside === '{' ? 'name' : 'value';
      else if (character === (inside === '{' ? '}' : ']')) open.pop();
      else return at;
      at++;
    } else {
      const end = character === '"' ? skipString(text, at) : at;
      if (end === at) return at;
      at = skip(blank, text, end);
      if (text[at] !== ':') return at;
      expected = 'value';
      at++;
    }
    at = skip(blank, text, at);
  }
  return at === text.length ? undefined : at;
}

/** @returns the index behind the closing quote; `start` when the string is not well formed. */
function skipString(text: string, start: number): number {
  let at = skip(plain, text, start + 1);
  while (text[at] === '\\') {
    const end = skip(escaped, text, at);
    if (end === at) return start;
    at = skip(plain, text, end);
  }
  return text[at] === '"' ? at + 1 : start;
}

/** @returns the index behind what `token` matches at `at`; `at` itself when it does not match. */
function skip(token: RegExp, text: string, at: number): number {
  token.lastIndex = at;
  return token.test(text) ? token.lastIndex : at;
}
