import assert from 'node:assert/strict';
import { once } from 'node:events';
import { after } from 'node:test';
import type { Random } from '@flotilla/core';
import { ManualClock, settle } from '@flotilla/core/testing';
import { type NodeNetworkOptions, nodeNetwork } from '../src/engines/node/index.ts';
import type { HttpHandler } from '../src/exchange.ts';
import type { HttpListener } from '../src/network.ts';
import { untilStill } from './contract-support.ts';
import { RawClient } from './raw-client.ts';

/** A listener on sockets whose time is moved by hand, and raw clients of it. */
export class RawServer {
  readonly clock: ManualClock;
  readonly listener: HttpListener;
  readonly #clients: RawClient[] = [];

  constructor(listener: HttpListener, clock: ManualClock) {
    this.listener = listener;
    this.clock = clock;
  }

  /** Opens a connection and waits until the listener has it. */
  async connect(): Promise<RawClient> {
    const client = new RawClient(this.listener.port);
    this.#clients.push(client);
    await once(client.socket, 'connect');
    await untilStill(() => this.listener.connections);
    return client;
  }

  /** Moves time in steps of a second, so that each sweep sees what the sockets brought. */
  async pass(seconds: number): Promise<void> {
    for (let second = 0; second < seconds; second++) {
      await settle();
      await this.clock.advance(1_000);
    }
  }

  async abandon(): Promise<void> {
    for (const client of this.#clients) client.socket.destroy();
    void this.listener.drain(0);
    await this.clock.advance(1_000);
  }

  async close(): Promise<void> {
    unclosed.delete(this);
    for (const client of this.#clients) await client.close();
    await this.listener.drain(Infinity);
    await untilStill(() => this.clock.pendingTimers);
    // One timer may stay: that of the wheel on which all deadlines hang.
    assert.ok(this.clock.pendingTimers <= 1, `${this.clock.pendingTimers} timers are left`);
  }
}

const unclosed = new Set<RawServer>();

// A test that failed must not keep its file from ending.
after(async () => {
  for (const server of unclosed) await server.abandon();
});

/** 0.5 jitters by nothing: times are then exact. */
const noJitter: Random = () => 0.5;

export async function rawServer(
  handler: HttpHandler,
  options: Partial<Omit<NodeNetworkOptions, 'clock'>> = {},
): Promise<RawServer> {
  const clock = new ManualClock();
  const network = nodeNetwork({ random: noJitter, ...options, clock });
  const listener = await network.listen({ host: '127.0.0.1', port: 0 }, handler);
  const server = new RawServer(listener, clock);
  unclosed.add(server);
  return server;
}
