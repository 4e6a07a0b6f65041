export { BytePair, type Transit } from './byte-pair.ts';
