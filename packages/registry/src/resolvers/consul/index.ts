export { type ConsulDiscoveryOptions, consulDiscovery, consulDiscoveryDefaults } from './consul-discovery.ts';
