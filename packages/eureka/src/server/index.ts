export type { Replica } from './about-server.ts';
export { type EurekaServerOptions, eurekaHandler, eurekaRoutes } from './routes.ts';
