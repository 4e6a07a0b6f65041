export { type EtcdDiscoveryOptions, etcdDiscovery, etcdDiscoveryDefaults } from './etcd-discovery.ts';
