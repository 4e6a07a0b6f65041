/**
 * The parameters of a query in their order, as `URLSearchParams` reads them (WHATWG URL §5.1), at a fraction of its cost
 * where nothing is escaped.
 */
export function queryParameters(query: string): (readonly [name: string, value: string])[] {
  if (query === '') return [];
  if (escaped.test(query)) return [...new URLSearchParams(query)];
  const parameters: (readonly [string, string])[] = [];
  for (const part of query.split('&')) {
    if (part === '') continue;
    const mark = part.indexOf('=');
    parameters.push(mark < 0 ? [part, ''] : [part.slice(0, mark), part.slice(mark + 1)]);
  }
  return parameters;
}

/** The first value of a parameter; undefined when the query has none of that name. */
export function queryParameter(query: string, name: string): string | undefined {
  if (query === '') return undefined;
  if (escaped.test(query)) return new URLSearchParams(query).get(name) ?? undefined;
  for (let start = 0; start <= query.length; ) {
    const ampersand = query.indexOf('&', start);
    const end = ampersand < 0 ? query.length : ampersand;
    if (end > start) {
      const mark = query.indexOf('=', start);
      const nameEnd = mark < 0 || mark > end ? end : mark;
      if (nameEnd - start === name.length && query.startsWith(name, start))
        return nameEnd === end ? '' : query.slice(nameEnd + 1, end);
    }
    start = end + 1;
  }
  return undefined;
}

/** What is not its own value: escapes, blanks, halves of surrogate pairs, and a `?` that would be cut off in front. */
const escaped = /[%+?]|[^\x21-\x7e]/;
