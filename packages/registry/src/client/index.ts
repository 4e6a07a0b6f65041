export {
  type AdvertiseChoice,
  type AdvertiseInput,
  chooseAdvertisedHost,
  type InterfaceAddress,
  type Interfaces,
  isWildcard,
} from './advertise.ts';
export { type RegistryClientOptions, registryClientDefaults } from './options.ts';
export { type RegistryClient, registryClient } from './registry-client.ts';
