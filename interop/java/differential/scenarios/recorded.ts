import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Ask } from '../ask.ts';
import { type Sketch, sketch } from './requests.ts';

const files = ['client-resttemplate-2025.0', 'client-variants', 'server-answers-2025.0', 'peer-replication-2025.0'];

/**
 * Requests that real clients, peers and people have sent, in their order, file by file.
 * @param folder that holds the recordings, in the form that its README describes
 */
export function recorded(folder: string): Sketch[] {
  return files.map((name) => {
    const text = readFileSync(join(folder, `${name}.txt`), 'utf8');
    const apps = new Set(Array.from(text.matchAll(/"app(?:Name)?": ?"([^"]+)"/g), ([, app = '']) => app));
    return { ...sketch(`recorded: ${name}`, () => requestsOf(text)), apps: [...apps] };
  });
}

/** What a Java server never recovers from is not sent to it: an instance whose data center breaks every full read. */
const fatal = /^(?:hazard|…)/;
/** Of the connection, and as it frames the body here. */
const ofTheConnection = /^(?:host|connection|content-length|transfer-encoding)$/i;

function requestsOf(text: string): Ask[] {
  const entries = text.split(/^=== /m).slice(1);
  return entries.filter((entry) => !fatal.test(entry)).flatMap((entry) => requestOf(entry.split(/^<<< /m)[0] ?? ''));
}

function requestOf(asked: string): Ask[] {
  const [head = '', body = ''] = asked.split(/^>>>\n/m);
  const [line, ...headers] = head
    .split('\n')
    .filter((each) => each.startsWith('>>> '))
    .map((each) => each.slice(4).trim());
  const [method, path] = line?.split(' ') ?? [];
  if (method === undefined || path === undefined) return [];
  const fields = headers
    .map((header) => [header.slice(0, header.indexOf(':')), header.slice(header.indexOf(':') + 1).trim()] as const)
    .filter(([name]) => !ofTheConnection.test(name));
  return [{ method, path, headers: Object.fromEntries(fields), ...(body.trim() === '' ? {} : { body: body.trim() }) }];
}
