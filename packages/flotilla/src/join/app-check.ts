import {
  type Address,
  Call,
  type Clock,
  FlotillaError,
  formatHostPort,
  type Random,
  toFlotillaError,
} from '@flotilla/core';
import { HttpHeaders, type HttpNetwork, pathFromText, readBody } from '@flotilla/http';
import type { HealthConfig } from './settings.ts';

/** Asks an app once. @returns why it is not well; undefined when it is. Never rejects. */
export type AppCheck = (address: Address) => Promise<string | undefined>;

/** What a check needs. */
export interface AppCheckNeeds {
  readonly network: HttpNetwork;
  /** Opens a connection and closes it again. @throws Error when it cannot be opened in time. */
  readonly touch: (address: Address, timeoutMs: number) => Promise<void>;
  readonly clock: Clock;
  readonly random: Random;
}

/** Of an answer about health nobody reads more. */
const maxAnswerBytes = 65_536;

/** The check that the settings describe: an HTTP request to a path, else a connection. */
export function appCheck({ path, timeoutMs }: HealthConfig, needs: AppCheckNeeds): AppCheck {
  return path === undefined ? connects(timeoutMs, needs) : answers(path, timeoutMs, needs);
}

function connects(timeoutMs: number, { touch }: AppCheckNeeds): AppCheck {
  return async (address) => {
    try {
      await touch(address, timeoutMs);
      return undefined;
    } catch (thrown) {
      return `no connection to ${formatHostPort(address)}: ${thrown instanceof Error ? thrown.message : String(thrown)}`;
    }
  };
}

/** A connection of its own each time: one that is kept would hide that the app takes no more. */
function answers(path: string, timeoutMs: number, { network, clock, random }: AppCheckNeeds): AppCheck {
  const request = { method: 'GET', path: pathFromText(path), query: '', body: undefined };
  return async (address) => {
    const authority = formatHostPort(address);
    const protocol = address.protocol === 'https' ? 'https' : 'http';
    const endpoint = network.connect({ protocol, host: address.host, port: address.port });
    const call = new Call({ clock, random, deadline: clock.now() + timeoutMs });
    const headers = new HttpHeaders([['user-agent', 'flotilla-health']]);
    try {
      const { status, body } = await endpoint.handle({ ...request, authority, headers }, call);
      await readBody(body, maxAnswerBytes, call).catch(passIfTooLong);
      return status >= 200 && status <= 299 ? undefined : `GET ${path} at ${authority} answered ${status}, not 2xx`;
    } catch (thrown) {
      const { code, detail } = toFlotillaError(thrown);
      return code === 'DEADLINE_EXCEEDED'
        ? `GET ${path} at ${authority} had no answer within ${timeoutMs} ms`
        : `GET ${path} at ${authority} failed: ${detail}`;
    } finally {
      call.end();
      void endpoint.close().catch(() => undefined);
    }
  };
}

/** Its status was good, and that was the question. */
function passIfTooLong(thrown: unknown): void {
  if (!(thrown instanceof FlotillaError) || thrown.code !== 'BODY_TOO_LARGE') throw thrown;
}
