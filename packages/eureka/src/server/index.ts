export type { Replica } from './replica.ts';
export { type EurekaServerOptions, eurekaHandler, eurekaRoutes } from './routes.ts';
