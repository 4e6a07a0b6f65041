import type { HttpHeaders } from '@flotilla/http';
import type { Field } from '../route-document.ts';

interface WithHeaders {
  readonly headers: HttpHeaders;
}

/** Replaces each field by the given one; the values are written as they stand in the document. */
export function setFields(fields: readonly Field[]): <Message extends WithHeaders>(message: Message) => Message {
  return (message) => {
    const headers = message.headers.copy();
    for (const [name, value] of fields) headers.set(name, value);
    return { ...message, headers };
  };
}

/** Removes every field of the given names. */
export function removeFields(names: readonly string[]): <Message extends WithHeaders>(message: Message) => Message {
  const removed = new Set(names);
  return (message) => {
    const headers = message.headers.copy();
    headers.deleteWhere((name) => removed.has(name));
    return { ...message, headers };
  };
}
