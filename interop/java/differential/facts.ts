import type { Answer, Ask } from './ask.ts';
import { type Element, readXml } from './xml.ts';

/** What is at one place of an answer. */
interface Fact {
  readonly value: string;
  /** The place that this one is inside of; none: the answer itself. */
  readonly inside?: string;
}

/** An answer as a flat table, `body.applications.application[BOOKS].instance[h1].port.$` → `8080`; times are `<time>`. */
export type Facts = ReadonlyMap<string, Fact>;

/** One place at which two answers differ; undefined: there is no such place. */
export interface Difference {
  readonly scenario: string;
  readonly ask: string;
  /** Of both answers; undefined where it differs. */
  readonly status: number | undefined;
  readonly place: string;
  readonly theirs: string | undefined;
  readonly ours: string | undefined;
}

/** What a client looks at besides the body. `Date`, lengths and the connection's own are left out. */
const headers = ['content-type', 'content-encoding', 'allow', 'location', 'www-authenticate'];

/**
 * Takes an answer apart.
 * @param apps lists are looked at for these applications only: what other scenarios have left is not this one's affair
 */
export function factsOf(answer: Answer, { path }: Ask, apps: readonly string[]): Facts {
  const facts = new Map<string, Fact>([['status', { value: String(answer.status) }]]);
  for (const name of headers) {
    const value = answer.headers[name];
    if (value === undefined) continue;
    facts.set(name, { value: name === 'allow' ? sorted(value) : value.toLowerCase().replaceAll(' ', '') });
  }
  const within = { facts, apps, delta: /\/apps\/delta\/?(?:\?|$)/.test(path) };
  const body = answer.body.trim();
  const kind = kindOf(body);
  facts.set('body', { value: kind === 'text' ? `text ${body}` : kind });
  try {
    if (kind === 'json') addJson(within, 'body', JSON.parse(body));
    if (kind === 'xml') addXml(within, 'body', readXml(body));
  } catch {
    facts.set('body', { value: `no ${kind}: ${body.slice(0, 200)}` });
  }
  return facts;
}

/** Every place at which they differ: of answers with different status or kinds of body that alone, and no place inside of one that is missing. */
export function differences(scenario: string, ask: string, theirs: Facts, ours: Facts): Difference[] {
  const differ = (place: string): boolean => theirs.get(place)?.value !== ours.get(place)?.value;
  const missing = (place: string): boolean => !theirs.has(place) || !ours.has(place);
  const places = Array.from(new Set([...theirs.keys(), ...ours.keys()]));
  const told = differ('status')
    ? ['status']
    : places.filter((place) => {
        const inside = (theirs.get(place) ?? ours.get(place))?.inside;
        return differ(place) && (inside === undefined || (!missing(inside) && !differ('body')));
      });
  const status = differ('status') ? undefined : Number(theirs.get('status')?.value);
  return told.map((place) => ({
    scenario,
    ask,
    status,
    place,
    theirs: theirs.get(place)?.value,
    ours: ours.get(place)?.value,
  }));
}

interface Within {
  readonly facts: Map<string, Fact>;
  readonly apps: readonly string[];
  readonly delta: boolean;
}

function kindOf(body: string): 'empty' | 'json' | 'xml' | 'html' | 'text' {
  if (body === '') return 'empty';
  if (body.startsWith('{') || body.startsWith('[')) return 'json';
  if (/^<(?:!doctype )?html/i.test(body)) return 'html';
  return body.startsWith('<') ? 'xml' : 'text';
}

function addJson(within: Within, at: string, value: unknown, inside?: string): void {
  if (Array.isArray(value)) {
    const kept = value.filter((item) => !elsewhere(item?.name, at, within));
    add(within, at, `${kept.length} members`, inside);
    for (const [index, item] of kept.entries()) {
      const { instanceId, name } = (item ?? {}) as { instanceId?: unknown; name?: unknown };
      addJson(within, `${at}[${instanceId ?? name ?? index}]`, item, at);
    }
    return;
  }
  if (typeof value !== 'object' || value === null) {
    add(within, at, told(at, JSON.stringify(value), within), inside);
    return;
  }
  addMembers(within, at, Object.keys(value), inside);
  for (const [name, member] of Object.entries(value)) addJson(within, `${at}.${name}`, member, at);
}

function addXml(within: Within, at: string, element: Element, inside?: string): void {
  const here = `${at}.${element.name}`;
  const children = element.children.filter((child) => !elsewhere(textOf(child, 'name'), here, within));
  if (element.children.length === 0) add(within, here, told(here, element.text, within), inside);
  else addMembers(within, here, [...new Set(children.map(({ name }) => name))], inside);
  for (const [name, value] of Object.entries(element.attributes)) add(within, `${here}@${name}`, value, here);
  for (const [index, child] of children.entries()) {
    const id = textOf(child, 'instanceId') ?? (child.name === 'application' ? textOf(child, 'name') : undefined);
    const twice = children.filter(({ name }) => name === child.name).length > 1;
    addXml(within, id !== undefined ? `${here}[${id}]` : twice ? `${here}[${index}]` : here, child, here);
  }
}

function textOf(element: Element, child: string): string | undefined {
  return element.children.find(({ name }) => name === child)?.text;
}

function add({ facts }: Within, place: string, value: string, inside: string | undefined): void {
  // The body's own fact is its kind; that of its root says which members it has.
  if (place === 'body') facts.set('body{}', { value, inside: 'body' });
  else facts.set(place, { value, inside: inside ?? 'body' });
}

/** Members in their order; that of metadata is arbitrary. */
function addMembers(within: Within, at: string, names: readonly string[], inside: string | undefined): void {
  add(within, at, (/metadata$/.test(at) ? names.toSorted() : names).join(' '), inside);
}

/** Whether a list's member is another scenario's application. */
function elsewhere(name: unknown, at: string, { apps }: Within): boolean {
  return typeof name === 'string' && /\.applications(?:\.application)?$/.test(at) && !apps.includes(name.toUpperCase());
}

/** A value with times and counters taken out: a number stays a number, text stays text. */
function told(at: string, value: string, { delta }: Within): string {
  if (delta && /versions_+delta$/.test(at)) return value.replace(/\d+/, '<counter>');
  const text = value.replace(/\b\d{13}\b/g, (digits) => (isNow(Number(digits)) ? '<time>' : digits));
  return text.replace(/\b\d{4}-\d\d-\d\dT[\d:.]+(?:Z|[+-]\d\d:?\d\d)/g, '<time>');
}

/** Within an hour: leases end in minutes. */
function isNow(time: number): boolean {
  return Math.abs(time - Date.now()) < 3_600_000;
}

function sorted(list: string): string {
  return list
    .split(',')
    .map((one) => one.trim())
    .sort()
    .join(',');
}
