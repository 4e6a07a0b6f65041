export {
  type ZooKeeperDiscoveryOptions,
  zookeeperDiscovery,
  zookeeperDiscoveryDefaults,
} from './zookeeper-discovery.ts';
