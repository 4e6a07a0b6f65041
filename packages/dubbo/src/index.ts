export type { NacosInstance } from './nacos-document.ts';
export { decodeNacosInstance, encodeNacosInstance } from './nacos-instance.ts';
export { metadataLimits } from './own-metadata.ts';
export { decodeProviderUrl, encodeProviderUrl } from './provider-url.ts';
export { formatUrl, parseUrl, type UrlParts, urlLimits } from './url-text.ts';
export { decodeZnodeName, encodeZnodeName } from './znode-name.ts';
export { decodeZookeeperInstance, encodeZookeeperInstance, type ZookeeperInstance } from './zookeeper-instance.ts';
