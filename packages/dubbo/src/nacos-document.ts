import type { Json } from '@flotilla/core';

/** An instance as Nacos hands it out (`com.alibaba.nacos.api.naming.pojo.Instance`), members in this order. */
export interface NacosInstance {
  /** `ip#port#cluster#group@@service`, unless another generator was chosen. */
  readonly instanceId?: string;
  readonly ip: string;
  readonly port: number;
  readonly weight: number;
  readonly healthy: boolean;
  readonly enabled: boolean;
  /** False: it stays until it is deregistered. */
  readonly ephemeral: boolean;
  readonly clusterName?: string;
  /** `group@@service` */
  readonly serviceName: string;
  readonly metadata: Readonly<Record<string, string>>;
  /** This and those below follow from metadata; milliseconds. */
  readonly instanceHeartBeatInterval?: number;
  readonly instanceIdGenerator?: string;
  readonly instanceHeartBeatTimeOut?: number;
  readonly ipDeleteTimeout?: number;
}

/** The group of who names none. */
export const usualGroup = 'DEFAULT_GROUP';

/** The cluster of who names none. */
export const usualCluster = 'DEFAULT';

/** What Nacos may leave out, or add by itself. */
export const optionalMembers: readonly string[] = [
  'instanceId',
  'clusterName',
  'instanceHeartBeatInterval',
  'instanceIdGenerator',
  'instanceHeartBeatTimeOut',
  'ipDeleteTimeout',
];

/** `group@@service` taken apart; a name without a group is all service. */
export function splitName(grouped: string): { readonly group: string | undefined; readonly service: string } {
  const at = grouped.indexOf('@@');
  return at < 0
    ? { group: undefined, service: grouped }
    : { group: grouped.slice(0, at), service: grouped.slice(at + 2) };
}

/** The id that Nacos gives an instance by itself (`SimpleInstanceIdGenerator`). */
export function generatedId({
  ip,
  port,
  serviceName,
  clusterName = usualCluster,
}: Pick<NacosInstance, 'ip' | 'port' | 'serviceName' | 'clusterName'>): string {
  const { group = usualGroup, service } = splitName(serviceName);
  return `${ip}#${port}#${clusterName}#${group}@@${service}`;
}

/** Leaves out what the document that was read had not, if it can be known without. */
export function withoutAbsent(document: Required<NacosInstance>, absent: Json | undefined): NacosInstance {
  const names: readonly unknown[] = Array.isArray(absent) ? absent : [];
  const isKept = ([name, value]: [string, unknown]): boolean => {
    if (!names.includes(name) || !optionalMembers.includes(name)) return true;
    if (name === 'instanceId') return value !== generatedId(document);
    return name === 'clusterName' && value !== usualCluster;
  };
  return Object.fromEntries(Object.entries(document).filter(isKept)) as unknown as NacosInstance;
}
