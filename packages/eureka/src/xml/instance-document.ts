import { FlotillaError } from '@flotilla/core';
import { amazonDataCenterClass, eurekaActions, plainDataCenterClass } from '../document.ts';
import { malformed } from '../fields.ts';
import type { XmlNode } from './read-xml.ts';
import { decodeXmlName } from './xml-name.ts';

/** What a document says, as the members that `readEurekaInstance` takes. */
type Members = Record<string, unknown>;

const texts: ReadonlySet<string> = new Set([
  'instanceId',
  'hostName',
  'app',
  'ipAddr',
  'sid',
  'status',
  'overriddenstatus',
  'overriddenStatus',
  'appGroupName',
  'homePageUrl',
  'statusPageUrl',
  'healthCheckUrl',
  'secureHealthCheckUrl',
  'vipAddress',
  'secureVipAddress',
  'asgName',
]);

/**
 * The members of an `instance` in XML, in the shape of the JSON form, so that both go through one intake. As a Java
 * server's reader (`Converters.InstanceInfoConverter`) has it, and other than in JSON:
 *
 * - elements that are not known are passed over, whatever is in them; of several with one name the last counts;
 * - a port without `enabled` is open, a secure port without it is closed; numbers have to be whole numbers;
 * - the data center's class means nothing: its name says what it is, Amazon in any case;
 * - an instant that is no number counts as absent.
 *
 * @throws FlotillaError MALFORMED_REQUEST naming the element
 */
export function instanceMembers(root: XmlNode): Members {
  if (root.name !== 'instance') {
    throw new FlotillaError('MALFORMED_REQUEST', `the document has to be <instance>, not <${root.name.slice(0, 80)}>`);
  }
  const members: Members = {};
  for (const child of root.children) {
    const member = memberOf(child);
    if (member !== undefined) members[child.name] = member;
  }
  return members;
}

function memberOf(node: XmlNode): unknown {
  const { name, text, attributes } = node;
  if (texts.has(name)) return text;
  switch (name) {
    case 'port':
      return { $: wholeNumber(name, text), '@enabled': attributes.get('enabled') !== 'false' };
    case 'securePort':
      return { $: wholeNumber(name, text), '@enabled': attributes.get('enabled') === 'true' };
    case 'countryId':
      return wholeNumber(name, text);
    case 'dataCenterInfo':
      return dataCenter(node);
    case 'leaseInfo':
      return lease(node);
    case 'metadata':
      return Object.fromEntries(entriesOf(node));
    case 'isCoordinatingDiscoveryServer':
      return text.toLowerCase() === 'true';
    case 'lastUpdatedTimestamp':
    case 'lastDirtyTimestamp':
      return isWhole(text) ? text : undefined;
    case 'actionType':
      return eurekaActions.find((action) => action === text);
    default:
      return undefined;
  }
}

/** @returns undefined when it has no name: the data center counts as missing. */
function dataCenter({ children }: XmlNode): Members | undefined {
  let known: Members | undefined;
  for (const child of children) {
    if (child.name === 'name') known = namedDataCenter(child.text);
    // A Java server falls over metadata that comes before the name, and passes over that of others than Amazon.
    else if (child.name === 'metadata') {
      if (!known) throw malformed('dataCenterInfo.name', 'before dataCenterInfo.metadata', undefined);
      if (known['name'] === 'Amazon') known['metadata'] = Object.fromEntries(entriesOf(child));
    }
  }
  return known;
}

function namedDataCenter(name: string): Members {
  if (name.toLowerCase() === 'amazon') return { '@class': amazonDataCenterClass, name: 'Amazon', metadata: {} };
  if (name === 'Netflix' || name === 'MyOwn') return { '@class': plainDataCenterClass, name };
  throw malformed('dataCenterInfo.name', 'Netflix, Amazon or MyOwn', name);
}

/** Something else than numbers would cut a Java server's reading short, so it is refused. */
function lease({ children }: XmlNode): Members {
  return Object.fromEntries(children.map(({ name, text }) => [name, wholeNumber(`leaseInfo.${name}`, text)]));
}

function entriesOf({ children }: XmlNode): [name: string, text: string][] {
  return children.map(({ name, text, children: nested }) => {
    const key = decodeXmlName(name);
    if (nested.length > 0) throw malformed(`metadata.${key.slice(0, 80)}`, 'text', {});
    return [key, text];
  });
}

function wholeNumber(field: string, text: string): number {
  if (!isWhole(text)) throw malformed(field.slice(0, 80), 'a whole number', text);
  return Number(text);
}

/** What `Long.parseLong` takes. */
function isWhole(text: string): boolean {
  return /^[-+]?[0-9]{1,19}$/.test(text);
}
