export { type DnsDiscoveryOptions, dnsDiscovery, dnsDiscoveryDefaults } from './dns-discovery.ts';
export type { DnsPort } from './dns-port.ts';
export { type NodeDnsOptions, nodeDns } from './engines/node-dns.ts';
export type { DnsAnswer, DnsQuestion, DnsRecord, DnsType } from './message.ts';
