export { type FileDiscoveryOptions, fileDiscovery, fileDiscoveryDefaults } from './file-discovery.ts';
