import { isDeepStrictEqual } from 'node:util';
import { eventually } from './deadline.ts';

/** The body of a 200, or what went wrong. */
export async function json(url: string, body?: unknown): Promise<unknown> {
  const post = { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) };
  const response = await fetch(url, body === undefined ? { headers: { accept: 'application/json' } } : post);
  const text = await response.text();
  return response.ok ? JSON.parse(text === '' ? 'null' : text) : `${response.status}`;
}

/** Asks until the answer is that: a caller sees a change when it is told, or has fetched. */
export function answers(url: string, expected: unknown, body?: unknown): Promise<unknown> {
  return eventually(
    `${url} answers ${JSON.stringify(expected)}`,
    () => json(url, body).catch(String),
    (answer) => isDeepStrictEqual(answer, expected),
  );
}

/** Of an instance, as Eureka's clients read it. */
export interface ListedInstance {
  readonly instanceId: string;
  readonly hostName: string;
  readonly port: { readonly $: number };
  readonly status: string;
  readonly vipAddress: string;
  readonly leaseInfo: Readonly<Record<string, number>>;
}

/** The instances of an application's document; none of anything else. */
export function instancesOf(document: unknown): readonly ListedInstance[] {
  return (document as { application?: { instance: ListedInstance[] } }).application?.instance ?? [];
}

/** Whether the first instance's lease was prolonged since it registered. */
export function hasRenewed(document: unknown): boolean {
  const { registrationTimestamp = 0, lastRenewalTimestamp = 0 } = instancesOf(document)[0]?.leaseInfo ?? {};
  return lastRenewalTimestamp > registrationTimestamp;
}
