import { shop } from './shop.ts';

export { routes } from './shop.ts';
export const { catalog, web } = shop();
