export { type EurekaServerOptions, eurekaHandler, eurekaRoutes } from './routes.ts';
