import { openProcess } from './curl-process.ts';
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
  /** Commands run here. Default: anywhere. */
  readonly folder?: string;
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
  {
    addresses: ['localhost:7070', 'localhost:7090'],
    async open() {
      const { port, managementPort, folder, close } = await openProcess('motd.ts');
      return { ports: { 'localhost:7070': port, 'localhost:7090': managementPort }, folder, close };
    },
  },
]);
