import { type Attribute, attribute } from '@flotilla/core';

/** Set in the call of an exchange: told the id of each instance, or the fixed address, that a request is sent to. */
export const noteUpstreamAttribute: Attribute<(name: string) => void> = attribute('gatewayNoteUpstream');
