import { Call } from '@flotilla/core';
import { seededRandom } from '@flotilla/core/testing';
import { HttpHeaders, pathFromText, readBody } from '@flotilla/http';
import type { World } from './world.ts';

/** `GET` of the registry at `registry:8761`. */
export async function fetchJson(
  { network, clock }: Pick<World, 'network' | 'clock'>,
  target: string,
): Promise<{ readonly status: number; readonly json: Readonly<Record<string, unknown>> }> {
  const [path = '', query = ''] = target.split('?');
  const endpoint = network.connect({ protocol: 'http', host: 'registry', port: 8761 });
  const call = new Call({ clock, random: seededRandom(7) });
  const head = { method: 'GET', authority: 'registry:8761', path: pathFromText(path), query };
  const { status, body } = await endpoint.handle({ ...head, headers: new HttpHeaders(), body: undefined }, call);
  const json = JSON.parse(Buffer.from(await readBody(body, 1_000_000, call)).toString());
  await endpoint.close();
  return { status, json };
}
