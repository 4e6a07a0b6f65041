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
  return queryParameters(query).find(([given]) => given === name)?.[1];
}

/** What is not its own value: escapes, blanks, halves of surrogate pairs, and a `?` that would be cut off in front. */
const escaped = /[%+?]|[^\x21-\x7e]/;
