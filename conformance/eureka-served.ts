import { gunzipSync } from 'node:zlib';
import { Call } from '@flotilla/core';
import { ManualClock, seededRandom } from '@flotilla/core/testing';
import { eurekaHandler } from '@flotilla/eureka/server';
import { HttpHeaders, parsePath, readBody } from '@flotilla/http';
import { createRegistry, type Registry } from '@flotilla/registry/server';
import type { RecordedMessage } from './eureka-recorded.ts';

/** A registry served to Eureka's clients in memory. Each request takes a millisecond. */
export interface EurekaServed {
  readonly registry: Registry;
  /** @param line `GET /eureka/apps HTTP/1.1`; the version may be left out. */
  ask(
    line: string,
    headers?: Iterable<readonly [string, string]>,
    body?: string | Uint8Array,
  ): Promise<RecordedMessage>;
  stop(): Promise<void>;
}

/** @param epochMs what its wall clock shows. */
export async function serveEureka(epochMs: number): Promise<EurekaServed> {
  const clock = new ManualClock({ epochMs });
  const random = seededRandom(1);
  const registry = createRegistry({ clock, random });
  await registry.start();
  const handler = eurekaHandler(registry);
  return {
    registry,
    async ask(line, headers = [], body) {
      await clock.advance(1);
      const [method = '', target = ''] = line.split(' ');
      const [path = '', query = ''] = target.split('?');
      const request = {
        method,
        authority: 'localhost:8761',
        path: parsePath(path),
        query,
        headers: new HttpHeaders(headers),
        body: typeof body === 'string' ? Buffer.from(body) : body,
      };
      const call = new Call({ clock, random });
      const response = await handler(request, call);
      const bytes = Buffer.from(await readBody(response.body, 10_000_000, call));
      const isCompressed = response.headers.get('content-encoding') === 'gzip';
      return {
        line: `HTTP/1.1 ${response.status}`,
        headers: new Map(response.headers),
        body: (isCompressed ? gunzipSync(bytes) : bytes).toString(),
      };
    },
    stop: () => registry.stop('the test is over'),
  };
}
