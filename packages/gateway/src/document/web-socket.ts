import { type FilterDefinition, type WebSocketDefinition, webSocketDefaults } from '../route-document.ts';
import { longestMs } from './filters.ts';
import { shown, type Value } from './value.ts';

/** Reads `webSocket`: `true`, `false`, or a mapping of what differs from the defaults. */
export function readWebSocket(value: Value, filters: readonly FilterDefinition[]): WebSocketDefinition | false {
  if (value.raw === false) return false;
  if (filters.some(({ kind }) => kind === 'timeout')) {
    value.mistake(
      'cannot stand beside the filter "timeout", which would end its sockets; headTimeoutMs bounds the handshake',
    );
  }
  if (value.raw === true) return webSocketDefaults;
  if (typeof value.raw !== 'object' || value.raw === null) {
    value.mistake('must be true, false, or a mapping with origins, allowAnyOrigin, idleMs, maxConnections');
    return false;
  }
  const members = value.members(['origins', 'allowAnyOrigin', 'idleMs', 'maxConnections']);
  const origins = members?.get('origins');
  const any = members?.get('allowAnyOrigin');
  if (origins && any?.raw === true) any.mistake('allows what "origins" forbids: write one of them');
  return {
    origins: any?.boolean() ? ['*'] : origins ? readOrigins(origins) : webSocketDefaults.origins,
    idleMs: members?.get('idleMs')?.integer(1, longestMs) ?? webSocketDefaults.idleMs,
    maxConnections: members?.get('maxConnections')?.integer(1, 1_000_000) ?? webSocketDefaults.maxConnections,
  };
}

function readOrigins(value: Value): readonly string[] {
  if (Array.isArray(value.raw) && value.raw.length === 0)
    value.mistake('is an empty list: no page could open a socket');
  return (value.texts() ?? []).flatMap(([text, item]) => readOrigin(text, item) ?? []);
}

function readOrigin(text: string, item: Value): string | undefined {
  if (text === 'same-origin') return text;
  if (text === '*') return item.mistake('"*" would let any page speak for its visitor; "allowAnyOrigin: true" says so');
  const origin = URL.canParse(text) ? new URL(text).origin : 'null';
  if (origin === text.toLowerCase() && /^https?:/.test(origin)) return origin;
  return item.mistake(`"${shown(text)}" is no origin: same-origin, or scheme, host and port, https://shop.example`);
}
