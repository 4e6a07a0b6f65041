export { readConfigFiles, readSecretFiles } from './engines/config-files.ts';
export { type FileFollower, followFiles } from './engines/follow-files.ts';
export { type FileWatch, watchFile } from './engines/watch-file.ts';
export { flagName, variableName } from './key-names.ts';
export type { SecretFile } from './layers/env.ts';
export { type ConfigFile, type Layers, type Loaded, loadConfig } from './load.ts';
export { maskUrl } from './mask.ts';
export { formatMistake, type Mistake } from './mistakes.ts';
export type { Origin } from './origins.ts';
export { type Change, type Refreshed, refreshConfig } from './refresh.ts';
export type { ConfigSchema } from './schema.ts';
export { type JsonSchema, restartKeyword, type Setting, type SettingOptions, type SettingValue } from './setting.ts';
export {
  group,
  type ListOptions,
  list,
  type MapOptions,
  type Members,
  type MemberValues,
  map,
} from './settings/collections.ts';
export {
  flag,
  integer,
  type NumberOptions,
  number,
  oneOf,
  type TextOptions,
  text,
  type UrlOptions,
  url,
} from './settings/scalars.ts';
export { type SecretOptions, secret } from './settings/secret.ts';
export { type Settings, type SettingsValues, settings } from './settings/settings.ts';
export { type UrlsOptions, urls } from './settings/urls.ts';
export { parseYaml, type YamlDocument } from './yaml.ts';
export { yamlLimits } from './yaml-limits.ts';
