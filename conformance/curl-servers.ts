import { openRegistry } from './curl-registry.ts';
import { openShop } from './curl-shop.ts';

/** What a transcript may be against. */
export interface CurlServer {
  /** As commands write them. */
  readonly addresses: readonly string[];
  open(): Promise<OpenServer>;
}

/** A server that listens on the loopback. */
export interface OpenServer {
  /** The port that each of its addresses has this time. */
  readonly ports: Readonly<Record<string, number>>;
  /** Leaves nothing open. */
  close(): Promise<unknown>;
}

/** The servers that transcripts may name. Each transcript gets those that it names, fresh, on free ports. */
export const curlServers: readonly CurlServer[] = Object.freeze([
  {
    addresses: ['localhost:8080', 'localhost:9080'],
    async open() {
      const { shop, management } = await openShop();
      return {
        ports: { 'localhost:8080': shop.port, 'localhost:9080': management.port },
        close: () => Promise.all([shop.drain(1_000), management.drain(1_000)]),
      };
    },
  },
  {
    addresses: ['localhost:8761'],
    async open() {
      const { port, close } = await openRegistry();
      return { ports: { 'localhost:8761': port }, close };
    },
  },
]);
