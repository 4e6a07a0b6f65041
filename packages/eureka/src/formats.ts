import { compactElement, compactInstance } from './compact.ts';
import type { EurekaInstance } from './document.ts';
import { instanceElement } from './xml/instance-xml.ts';
import { escapeXml, writeXml } from './xml/write-xml.ts';

/** What a list of applications says of itself, in front of the applications or behind them. */
export interface ListFacts {
  /** 1 for a full list; for a delta a number that counts them; -1 for an unknown VIP. */
  readonly version: number;
  /** Of the whole registry, also in a delta: `appsHashCode`. */
  readonly hashCode: string;
}

/**
 * One of the four forms in which Eureka's lists are written. A list is text that can be put together of parts, so that
 * a change costs one part: head, applications, tail; an application is its head, its instances, its tail.
 * {@link writeList} puts them together; whoever keeps parts may do the same.
 */
export interface Format {
  readonly name: FormatName;
  /** What it is, whatever an answer is labelled: see `negotiation.ts`. */
  readonly mediaType: 'application/json' | 'application/xml';
  /** Stands between two applications of a list, and between two instances of an application. */
  readonly separator: string;
  /** One instance within a list. */
  instance(document: EurekaInstance): string;
  /** Before the instances of an application within a list. */
  applicationHead(name: string): string;
  /** Behind them. */
  readonly applicationTail: string;
  /** Before the applications. */
  listHead(facts: ListFacts): string;
  /** Behind them. */
  listTail(facts: ListFacts): string;
  /** An application by itself. */
  application(name: string, documents: Iterable<EurekaInstance>): string;
}

export type FormatName = 'json' | 'jsonCompact' | 'xml' | 'xmlCompact';

/** All forms by name. */
export const formats: Readonly<Record<FormatName, Format>> = Object.freeze({
  json: jsonFormat('json', JSON.stringify, {
    listHead: (facts) => `{"applications":{${jsonFacts(facts)},"application":[`,
    listTail: () => ']}}',
  }),
  jsonCompact: jsonFormat('jsonCompact', (document) => JSON.stringify(compactInstance(document)), {
    listHead: () => '{"applications":{"application":[',
    listTail: (facts) => `],${jsonFacts(facts)}}}`,
  }),
  xml: {
    name: 'xml',
    mediaType: 'application/xml',
    separator: '',
    instance: (document) => writeXml(instanceElement(document), 'indented', 2),
    applicationHead: (name) => `\n  <application>\n    <name>${escapeXml(name)}</name>`,
    applicationTail: '\n  </application>',
    listHead: (facts) => `<applications>\n  ${xmlFacts(facts, '\n  ')}`,
    listTail: () => '\n</applications>',
    application: (name, documents) => {
      const instances = Array.from(documents, (document) => writeXml(instanceElement(document), 'indented', 1));
      return `<application>\n  <name>${escapeXml(name)}</name>${instances.join('')}\n</application>`;
    },
  },
  xmlCompact: {
    name: 'xmlCompact',
    mediaType: 'application/xml',
    separator: '',
    instance: compactXml,
    applicationHead: compactXmlHead,
    applicationTail: '</application>',
    listHead: () => '<applications>',
    listTail: (facts) => `${xmlFacts(facts, '')}</applications>`,
    application: (name, documents) =>
      `${compactXmlHead(name)}${Array.from(documents, compactXml).join('')}</application>`,
  },
});

/** One instance by itself; there is no compact form of it. */
export function writeInstance(document: EurekaInstance, mediaType: Format['mediaType']): string {
  if (mediaType === 'application/json') return JSON.stringify({ instance: document });
  return writeXml(instanceElement(document), 'indented');
}

/** A whole list: instances grouped by application, both in the order in which they come. */
export function writeList(format: Format, documents: Iterable<EurekaInstance>, facts: ListFacts): string {
  const grouped = Map.groupBy(documents, ({ app }) => app);
  const applications = Array.from(grouped, ([name, members]) => {
    const instances = members.map((document) => format.instance(document)).join(format.separator);
    return `${format.applicationHead(name)}${instances}${format.applicationTail}`;
  });
  return `${format.listHead(facts)}${applications.join(format.separator)}${format.listTail(facts)}`;
}

function jsonFormat(
  name: FormatName,
  instance: Format['instance'],
  list: Pick<Format, 'listHead' | 'listTail'>,
): Format {
  const applicationHead = (app: string) => `{"name":${JSON.stringify(app)},"instance":[`;
  return {
    name,
    mediaType: 'application/json',
    separator: ',',
    instance,
    applicationHead,
    applicationTail: ']}',
    ...list,
    application: (app, documents) =>
      `{"application":${applicationHead(app)}${Array.from(documents, instance).join(',')}]}}`,
  };
}

function jsonFacts({ version, hashCode }: ListFacts): string {
  return `"versions__delta":"${version}","apps__hashcode":"${hashCode}"`;
}

function xmlFacts({ version, hashCode }: ListFacts, between: string): string {
  return `<versions__delta>${version}</versions__delta>${between}<apps__hashcode>${hashCode}</apps__hashcode>`;
}

function compactXml(document: EurekaInstance): string {
  return writeXml(compactElement(document), 'compact');
}

function compactXmlHead(name: string): string {
  return `<application><name>${escapeXml(name)}</name>`;
}
