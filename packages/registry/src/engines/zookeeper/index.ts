export {
  type Acl,
  type CreateOptions,
  codeOf,
  type NodeEventKind,
  type NodeWatch,
  type PersistentListener,
  type SessionEvent,
  type Stat,
  ZooKeeperClient,
  type ZooKeeperClientOptions,
  type ZooKeeperStep,
  type ZooKeeperTls,
  zookeeperCode,
} from './client.ts';
export { type ZooKeeperEngineOptions, zookeeperEngine } from './engine.ts';
