export {
  type ApplicationsOptions,
  appsHashCode,
  type EurekaApplication,
  type EurekaApplications,
  encodeApplication,
  encodeApplications,
} from './applications.ts';
export {
  type EurekaAction,
  type EurekaDataCenter,
  type EurekaInstance,
  type EurekaLease,
  type EurekaPort,
  type EurekaStatus,
  eurekaActions,
  eurekaStatuses,
} from './document.ts';
export { decodeInstance, type EurekaListing, encodeInstance } from './instance.ts';
export { metadataLimits } from './metadata.ts';
export { readEurekaInstance } from './read-document.ts';
export { decodeStatus, encodeStatus, shownStatus } from './status.ts';
