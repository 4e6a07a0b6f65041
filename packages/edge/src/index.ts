export { type Device, deviceOf, deviceVary } from './device.ts';
export { type GatherOptions, gather } from './gather.ts';
export { type HostCookiesOptions, hostCookies } from './host-cookies.ts';
export { type KeptFileOptions, keptFile } from './kept-file.ts';
export { type MissingPart, missing } from './missing.ts';
export {
  optional,
  type Part,
  type PartDefinition,
  type PartLike,
  type PartOptions,
  type Parts,
  part,
  type ValueOf,
  type Values,
} from './part.ts';
export { privateAnswers } from './private-answers.ts';
export { relay } from './relay.ts';
export { type SameOriginOptions, sameOrigin, secureCookies } from './same-origin.ts';
export { type KnownFields, Limited, limit, type Shape, Shortened, shorten, type Trimmed, trim } from './trim.ts';
export { type Views, views } from './views.ts';
