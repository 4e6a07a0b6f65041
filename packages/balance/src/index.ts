export { createCluster } from './balanced-cluster.ts';
export type { Cluster, ClusterOptions, InstanceView } from './cluster.ts';
export { createFileCache, type FileCache, type FileCacheOptions, type SetFromDisk } from './engines/file-cache.ts';
export { type Judge, judgeByCode, judgeByStatus } from './judge.ts';
export { mergeSet, saysSomething } from './live-set.ts';
export type { CachedSet, LiveSetCache } from './live-set-cache.ts';
export {
  afterOutcome,
  afterTime,
  type Health,
  hasRoom,
  isPanic,
  type Judgement,
  newHealth,
  type OutlierSettings,
} from './outlier.ts';
export { type Candidate, createPicker, type Picker, type PickPolicy } from './pick.ts';
export { type BalanceSettings, balanceDefaults, type PartialBalanceSettings, resolveBalance } from './settings.ts';
