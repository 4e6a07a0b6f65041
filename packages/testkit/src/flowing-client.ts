import type { AnyContract, Client } from '@flotilla/rpc';
import type { GenericClient } from 'flotilla';
import type { FlowingTime } from './flowing-time.ts';

type Method = (...args: unknown[]) => Promise<unknown> | AsyncIterable<unknown>;

/** A client whose callers let time flow while they wait. */
export function flowingClient<C extends AnyContract>(client: Client<C>, time: FlowingTime): Client<C> {
  const methods = Object.entries(client as Record<string, Method>).map(([name, method]) => [
    name,
    (...args: unknown[]) => {
      const result = method(...args);
      return Symbol.asyncIterator in result ? flowingStream(result, time) : time.until(result);
    },
  ]);
  return Object.freeze(Object.fromEntries(methods)) as Client<C>;
}

/** The same of a client that calls by name. */
export function flowingGeneric(client: GenericClient, time: FlowingTime): Pick<GenericClient, 'call' | 'stream'> {
  return {
    call: (...args) => time.until(client.call(...args)),
    stream: (...args) => flowingStream(client.stream(...args), time),
  };
}

function flowingStream(stream: AsyncIterable<unknown>, time: FlowingTime): AsyncIterable<unknown> {
  return {
    [Symbol.asyncIterator]() {
      const elements = stream[Symbol.asyncIterator]();
      return {
        next: () => time.until(elements.next()),
        return: async () => (await elements.return?.()) ?? { done: true, value: undefined },
      };
    },
  };
}
