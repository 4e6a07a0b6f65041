/** `@fastify/http-proxy` as its README shows it. */
import type { AddressInfo } from 'node:net';
import proxy from '@fastify/http-proxy';
import { fastify } from 'fastify';
import { serveHarness } from '../harness/program.ts';

const [upstream = ''] = process.argv.slice(2);
const server = fastify();
await server.register(proxy, { upstream: `http://127.0.0.1:${upstream}` });
await server.listen({ host: '127.0.0.1', port: 0 });
serveHarness({ port: (server.server.address() as AddressInfo).port });
