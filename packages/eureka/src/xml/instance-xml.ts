import { type EurekaInstance, type EurekaPort, emptyMetadata } from '../document.ts';
import type { XmlElement } from './write-xml.ts';
import { encodeXmlName } from './xml-name.ts';

/**
 * The element `instance` of a document in the full form, as XStream writes it: the members of the JSON form in the same
 * order, of which some have other names and shapes (`Converters.InstanceInfoConverter`).
 */
export function instanceElement(document: EurekaInstance): XmlElement {
  const { port, securePort, dataCenterInfo, leaseInfo, metadata } = document;
  const content: XmlElement[] = [];
  for (const [name, value] of Object.entries(document)) {
    if (name === 'overriddenStatus') content.push(textElement('overriddenstatus', document.overriddenStatus));
    else if (name === 'port') content.push(portElement(name, port));
    else if (name === 'securePort') content.push(portElement(name, securePort));
    else if (name === 'dataCenterInfo') content.push(dataCenterElement(dataCenterInfo));
    else if (name === 'leaseInfo') content.push({ name, content: members(leaseInfo) });
    else if (name === 'metadata') content.push(metadataElement(metadata));
    else content.push(textElement(name, value));
  }
  return { name: 'instance', content };
}

/** An element with text. */
export function textElement(name: string, value: unknown): XmlElement {
  return { name, content: String(value) };
}

/** `<port enabled="true">8080</port>`. */
export function portElement(name: string, { $, '@enabled': enabled }: EurekaPort): XmlElement {
  return { name, attributes: { enabled }, content: String($) };
}

/** `<dataCenterInfo class="…">`, in both forms. */
export function dataCenterElement({
  '@class': className,
  name,
  metadata,
}: EurekaInstance['dataCenterInfo']): XmlElement {
  const content = [textElement('name', name), ...(metadata ? [metadataElement(metadata)] : [])];
  return { name: 'dataCenterInfo', attributes: { class: className }, content };
}

/** One element for each entry; none at all is marked, as in JSON. An entry without a name has no element. */
function metadataElement(metadata: Readonly<Record<string, string>>): XmlElement {
  const { '@class': className, ...entries } = metadata;
  const content = members(entries);
  if (content.length > 0) return { name: 'metadata', content };
  return { name: 'metadata', attributes: { class: className ?? emptyMetadata['@class'] ?? '' } };
}

function members(fields: object): XmlElement[] {
  return Object.entries(fields).flatMap(([name, value]) =>
    name === '' ? [] : [textElement(encodeXmlName(name), value)],
  );
}
