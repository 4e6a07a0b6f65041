import { setTimeout as pause } from 'node:timers/promises';
import { effectiveStatus, type Instance } from '@flotilla/core';

/** What one registry lists: `id status`. @throws Error when it does not answer */
export async function listed(url: string, service: string): Promise<string[]> {
  const { origin, username, password } = new URL(url);
  const authorization = `Basic ${Buffer.from(`${username}:${decodeURIComponent(password)}`).toString('base64')}`;
  const answer = await fetch(`${origin}/v1/instances?service=${service}`, {
    headers: { authorization },
    signal: AbortSignal.timeout(5_000),
  });
  if (answer.status !== 200) throw new Error(`${origin} answered ${answer.status}`);
  const { instances } = (await answer.json()) as { readonly instances: readonly Instance[] };
  return instances.map((instance) => `${instance.id} ${effectiveStatus(instance)}`).sort();
}

/**
 * Waits until every registry lists exactly those, all up.
 * @returns after how many milliseconds; or what is different at the end.
 */
export async function converge(
  urls: readonly string[],
  service: string,
  ids: () => readonly string[],
  limitMs: number,
): Promise<{ readonly ms: number; readonly differences: readonly string[] }> {
  const startedAt = performance.now();
  for (;;) {
    const expected = ids().map((id) => `${id} up`);
    const found = await Promise.all(
      urls.map((url) => listed(url, service).catch((error: unknown) => [`no answer: ${String(error)}`])),
    );
    const differences = found.flatMap((present, node) =>
      differencesOf(expected, present).map((text) => `node ${node + 1}: ${text}`),
    );
    const ms = Math.round(performance.now() - startedAt);
    if (differences.length === 0 || ms > limitMs) return { ms, differences };
    await pause(200);
  }
}

function differencesOf(expected: readonly string[], present: readonly string[]): string[] {
  const [wanted, there] = [new Set(expected), new Set(present)];
  const missing = expected.filter((entry) => !there.has(entry));
  const more = present.filter((entry) => !wanted.has(entry));
  return [
    ...(missing.length > 0 ? [`${missing.length} missing, such as ${missing.slice(0, 3).join(', ')}`] : []),
    ...(more.length > 0 ? [`${more.length} too many, such as ${more.slice(0, 3).join(', ')}`] : []),
  ];
}
