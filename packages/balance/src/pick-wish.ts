import { type Attribute, attribute } from '@flotilla/core';

/** What one call would like of the pick. */
export interface PickWish {
  /** What `hash` and `sticky` go by: calls with the same key go to the same instance, as far as it can be. */
  readonly key?: string | undefined;
  /** Id of an instance, or what instances name as `hint` in their metadata: they are picked if any of them can be. */
  readonly hint?: string | undefined;
}

/** Set in a call, or in one around it, before it comes to a cluster: `call.set(pickWish, { key: customerId })`. */
export const pickWish: Attribute<PickWish> = attribute('pickWish');
