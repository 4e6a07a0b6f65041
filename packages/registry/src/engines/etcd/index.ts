export {
  EtcdClient,
  type EtcdClientOptions,
  type EtcdCompare,
  type EtcdDone,
  type EtcdEvent,
  type EtcdKeys,
  type EtcdPair,
  type EtcdRange,
  type EtcdRangeRequest,
  type EtcdStep,
  type EtcdTls,
  type EtcdTransaction,
  type EtcdWatch,
  type EtcdWatchListener,
  isCompacted,
} from './client.ts';
export { type EtcdEngineOptions, etcdEngine } from './engine.ts';
