import { FlotillaError } from '@flotilla/core';
import { amazonDataCenterClass, type EurekaDataCenter, plainDataCenterClass } from './document.ts';
import { type Fields, malformed, member, objectOf, optionalText } from './fields.ts';

/** What was read: complete but for a plain data center's name. */
export type ReadDataCenter = Omit<EurekaDataCenter, 'name'> & { readonly name: EurekaDataCenter['name'] | undefined };

const plainClasses: ReadonlySet<string> = new Set([plainDataCenterClass, 'com.netflix.appinfo.MyDataCenterInfo']);

/**
 * Reads `dataCenterInfo`. The class is required, and named by text only: nothing is loaded by it.
 * @returns undefined when absent.
 * @throws FlotillaError MALFORMED_REQUEST for what a Java server cannot parse; INVALID_INPUT for a plain data center
 * that calls itself Amazon: a Java server takes it and can then answer no full read any more.
 */
export function readDataCenter(value: unknown): ReadDataCenter | undefined {
  if (value === undefined || value === null) return undefined;
  const fields = objectOf(value, 'dataCenterInfo');
  const name = optionalText(fields, 'name');
  const className = member(fields, '@class');
  if (className === amazonDataCenterClass) return readAmazon(fields);
  if (typeof className !== 'string' || !plainClasses.has(className)) {
    throw malformed('dataCenterInfo.@class', `${plainDataCenterClass} or ${amazonDataCenterClass}`, className);
  }
  const extra = Object.keys(fields).find((field) => field !== '@class' && field !== 'name');
  if (extra !== undefined) throw malformed(`dataCenterInfo.${extra.slice(0, 80)}`, 'absent', fields[extra]);
  if (name === 'Amazon') {
    throw new FlotillaError('INVALID_INPUT', `dataCenterInfo "Amazon" needs the class ${amazonDataCenterClass}`);
  }
  if (name && name !== 'Netflix' && name !== 'MyOwn') {
    throw malformed('dataCenterInfo.name', 'Netflix, Amazon or MyOwn', name);
  }
  return { '@class': plainDataCenterClass, name: name ? (name as 'Netflix' | 'MyOwn') : undefined };
}

function readAmazon(fields: Fields): EurekaDataCenter {
  const metadata = objectOf(member(fields, 'metadata'), 'dataCenterInfo.metadata');
  const entries = Object.keys(metadata).map((name) => {
    const text = optionalText(metadata, name) ?? '';
    if (text.length > 1_024)
      throw new FlotillaError('INVALID_INPUT', `dataCenterInfo.metadata "${name.slice(0, 80)}" is too long`);
    return [name, text] as const;
  });
  if (entries.length > 64) throw new FlotillaError('INVALID_INPUT', 'dataCenterInfo.metadata has more than 64 entries');
  return { '@class': amazonDataCenterClass, name: 'Amazon', metadata: Object.fromEntries(entries) };
}
