import type { EurekaDataCenter, EurekaInstance, EurekaPort } from './document.ts';
import { dataCenterElement, portElement, textElement } from './xml/instance-xml.ts';
import type { XmlElement } from './xml/write-xml.ts';

/**
 * What whoever sends `X-Eureka-Accept: compact` gets of an instance (`MiniInstanceInfoMixIn`), members in this order:
 * enough to call it.
 */
export interface CompactInstance {
  readonly instanceId?: string;
  readonly app: string;
  readonly ipAddr: string;
  readonly vipAddress?: string;
  readonly secureVipAddress?: string;
  readonly dataCenterInfo: EurekaDataCenter;
  readonly hostName: string;
  readonly status: EurekaInstance['status'];
  /** A number, other than in the full form. */
  readonly lastUpdatedTimestamp: number;
  readonly actionType?: NonNullable<EurekaInstance['actionType']>;
  readonly asgName?: string;
  readonly port: EurekaPort;
  readonly securePort: EurekaPort;
}

/** Of Amazon's own facts, those that say which instance it is and where. */
const amazonFacts: readonly string[] = Object.freeze([
  'instance-id',
  'public-ipv4',
  'public-hostname',
  'local-ipv4',
  'availability-zone',
]);

/** The compact form of a document. */
export function compactInstance(document: EurekaInstance): CompactInstance {
  const { instanceId, vipAddress, secureVipAddress, actionType, asgName } = document;
  return {
    ...(instanceId === undefined ? undefined : { instanceId }),
    app: document.app,
    ipAddr: document.ipAddr,
    ...(vipAddress === undefined ? undefined : { vipAddress }),
    ...(secureVipAddress === undefined ? undefined : { secureVipAddress }),
    dataCenterInfo: compactDataCenter(document.dataCenterInfo),
    hostName: document.hostName,
    status: document.status,
    lastUpdatedTimestamp: Number(document.lastUpdatedTimestamp),
    ...(actionType === undefined ? undefined : { actionType }),
    ...(asgName === undefined ? undefined : { asgName }),
    port: document.port,
    securePort: document.securePort,
  };
}

/** The element `instance` of the compact form. */
export function compactElement(document: EurekaInstance): XmlElement {
  const { dataCenterInfo, port, securePort, ...texts } = compactInstance(document);
  const content: XmlElement[] = [];
  for (const [name, value] of Object.entries(texts)) {
    if (name === 'hostName') content.push(dataCenterElement(dataCenterInfo)); // stands before it
    content.push(textElement(name, value));
  }
  content.push(portElement('port', port), portElement('securePort', securePort));
  return { name: 'instance', content };
}

function compactDataCenter(dataCenter: EurekaDataCenter): EurekaDataCenter {
  if (!dataCenter.metadata) return dataCenter;
  const kept = Object.entries(dataCenter.metadata).filter(([name]) => amazonFacts.includes(name));
  return { ...dataCenter, metadata: Object.fromEntries(kept) };
}
