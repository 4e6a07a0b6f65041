import { type Attribute, attribute } from './call.ts';

/**
 * Set on the attempts of one request that may run side by side. Whoever chooses instances reads it:
 *
 * | value | means |
 * |---|---|
 * | `first` | another attempt may begin before this one has ended: remember at once whom it went to |
 * | `second` | go to somebody else than the first, or refuse with NO_INSTANCE |
 */
export const raceAttribute: Attribute<'first' | 'second'> = attribute('race');
