export { type EurekaClient, eurekaClient } from './eureka-client.ts';
export { type EurekaClientOptions, eurekaClientDefaults } from './options.ts';
