import { Call, FlotillaError, systemClock, systemRandom } from '@flotilla/core';
import { service } from 'flotilla';
import { fixedResolver, startApp } from '../calls/fleet.ts';
import { type Caller, deadlineMs, type Outcome } from './caller.ts';
import { bench } from './contract.ts';

/** Asks as the services of a fleet ask each other: by a typed client over RSocket. It asks once and is put off by nothing. */
export async function fleetCaller(port: number): Promise<Caller> {
  const app = service('caller');
  const client = app.client(bench, { retries: 0, maxConcurrent: 10_000, breaker: { enabled: false } });
  const { running } = await startApp(app, fixedResolver('bench', [port], { protocols: ['rsocket'] }));
  return {
    async ask(urgency): Promise<Outcome> {
      const call = new Call({ clock: systemClock, random: systemRandom, urgency });
      try {
        await client.work(undefined, call, { timeoutMs: deadlineMs });
        return 'good';
      } catch (thrown) {
        return thrown instanceof FlotillaError && thrown.executed === 'no' && thrown.retryAfterMs !== undefined
          ? 'refused'
          : 'failed';
      } finally {
        call.end();
      }
    },
    close: () => running.release(),
  };
}
