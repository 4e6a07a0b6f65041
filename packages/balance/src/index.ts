export { createCluster } from './balanced-cluster.ts';
export type { Cluster, ClusterOptions, InstanceView, LoadReport } from './cluster.ts';
export { type BalanceByService, Clusters } from './clusters.ts';
export { createFileCache, type FileCache, type FileCacheOptions, type SetFromDisk } from './engines/file-cache.ts';
export type { ExplainedInstance, PickExplanation } from './explain.ts';
export { type Judge, judgeByCode, judgeByStatus } from './judge.ts';
export { Latency } from './latency.ts';
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
export type { OutlierListener } from './outlier-listener.ts';
export { type PickWish, pickWish } from './pick-wish.ts';
export type { Candidate, Picker } from './picks/candidate.ts';
export { createPicker, type PickOptions, type PickPolicy, pickPolicies } from './picks/pick.ts';
export { StickyMemory } from './picks/sticky.ts';
export { type RuleName, ruleNames } from './rules/rule.ts';
export {
  type BalanceSettings,
  balanceDefaults,
  type LaneSettings,
  layeredBalance,
  type PartialBalanceSettings,
  resolveBalance,
  type SubsetSettings,
  type ZoneSettings,
} from './settings.ts';
export { Utilisation } from './utilisation.ts';
