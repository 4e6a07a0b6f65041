import { FlotillaError } from '@flotilla/core';
import {
  type Document,
  isMap,
  isNode,
  isPair,
  isScalar,
  isSeq,
  parseDocument,
  stringify,
  YAMLMap,
  YAMLSeq,
} from 'yaml';

/** A route as `flotilla add edge` writes it. */
export interface NewRoute {
  readonly id: string;
  readonly path: string;
  readonly to: string;
  readonly auth: 'public' | 'required';
}

/**
 * `flotilla.yaml` with one more service, after the others. Nothing else of the text changes, where the services stand in
 * lines of their own.
 * @throws FlotillaError CONFIG_INVALID when the file cannot be understood or has that service already.
 */
export function withService(file: string, text: string, name: string, run: string): string {
  const document = read(file, text);
  const services = document.get('services', true) ?? undefined;
  if (isMap(services) && services.has(name)) {
    throw refused(file, `it has a service "${name}" already; take another name`);
  }
  if (!isMap(services) && !isNothing(services)) throw refused(file, '"services" is no mapping');
  const entry = { [name]: { run } };
  if (isMap(services) && !services.flow && services.items.length > 0) {
    return withLines(text, services, stringify(entry));
  }
  const target = isMap(services) ? services : new YAMLMap();
  target.flow = false;
  target.set(name, document.createNode(entry[name]));
  document.set('services', target);
  return write(document);
}

/**
 * `gateway.yaml` with one more route, after the others. Nothing else of the text changes, where the routes stand in lines
 * of their own.
 * @throws FlotillaError CONFIG_INVALID when the file cannot be understood or has a route of that id already.
 */
export function withRoute(file: string, text: string, route: NewRoute): string {
  const document = read(file, text);
  const routes = document.get('routes', true) ?? undefined;
  if (isSeq(routes) && routes.items.some((item) => isMap(item) && item.get('id') === route.id)) {
    throw refused(file, `it has a route "${route.id}" already; take another name`);
  }
  if (!isSeq(routes) && !isNothing(routes)) throw refused(file, '"routes" is no list');
  if (isSeq(routes) && !routes.flow && routes.items.length > 0) return withLines(text, routes, stringify([route]));
  const target = isSeq(routes) ? routes : new YAMLSeq();
  target.flow = false;
  target.add(document.createNode(route));
  document.set('routes', target);
  return write(document);
}

function read(file: string, text: string): Document {
  const document = parseDocument(text, { uniqueKeys: false }); // the reader of the file looks for repeated keys
  const [mistake] = document.errors;
  if (mistake) throw refused(file, mistake.message);
  if (document.contents !== null && !isMap(document.contents)) throw refused(file, 'it is no mapping');
  return document;
}

function isNothing(node: unknown): boolean {
  return node === undefined || (isScalar(node) && node.value === null);
}

/** The text with an entry after the last one of a collection, in the column of the others. */
function withLines(text: string, collection: YAMLMap | YAMLSeq, entry: string): string {
  const newline = text.includes('\r\n') ? '\r\n' : '\n';
  const lines = entry.trimEnd().split('\n');
  const column = ' '.repeat(columnOf(text, collection));
  const end = endOfLine(text, endOf(collection));
  const added = lines.map((line) => `${newline}${column}${line}`).join('');
  return `${text.slice(0, end)}${added}${text.slice(end) || newline}`;
}

/** Where entries begin: a mapping at its first key, a list at its first dash. */
function columnOf(text: string, { range }: YAMLMap | YAMLSeq): number {
  const start = range?.[0] ?? 0;
  return start - (text.lastIndexOf('\n', start - 1) + 1);
}

/** Where the last entry ends, without what comes after it. */
function endOf({ items }: YAMLMap | YAMLSeq): number {
  const last = items.at(-1);
  const parts = isPair(last) ? [last.value, last.key] : [last];
  const end = parts.filter(isNode).find(({ range }) => range);
  // A collection of several lines ends behind the comments that follow it, so its own last entry is looked for.
  if ((isMap(end) || isSeq(end)) && !end.flow && end.items.length > 0) return endOf(end);
  return end?.range?.[1] ?? 0;
}

/** A comment beside the last entry belongs to it. */
function endOfLine(text: string, offset: number): number {
  if (text[offset - 1] === '\n') return text[offset - 2] === '\r' ? offset - 2 : offset - 1; // behind a text of several lines
  const end = text.slice(offset).search(/\r?\n/);
  return end < 0 ? text.length : offset + end;
}

/** Long lines stay as they are. */
function write(document: Document): string {
  return document.toString({ lineWidth: 0 });
}

function refused(file: string, why: string): FlotillaError {
  return new FlotillaError('CONFIG_INVALID', `${file} cannot be extended: ${why}`);
}
