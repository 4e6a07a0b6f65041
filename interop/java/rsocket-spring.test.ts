import assert from 'node:assert/strict';
import { skip, startRSocketServer } from './programs/java.ts';
import { BooksCallee } from './rsocket/books-callee.ts';
import type { SpringError } from './rsocket/spring-caller.ts';
import { springClaims } from './rsocket/spring-claims.ts';

// The claims that our servers have to fulfil, held against Spring's own: each Boot calls the other.

const is = (type: string, code: number, message: string) => (error: SpringError) =>
  assert.deepEqual(error, { type, code, message });

for (const [server, client] of [
  ['current', 'next'],
  ['next', 'current'],
] as const) {
  springClaims(
    `a Spring server (${server === 'current' ? 'Boot 3.5' : 'Boot 4.0'})`,
    {
      start: async (port) => BooksCallee.ofSpring(await startRSocketServer(server, [], port)),
      failures: {
        byKind: {
          rejected: is('RejectedException', 0x202, 'not now'),
          invalid: is('InvalidException', 0x204, 'not like this'),
          application: is('ApplicationErrorException', 0x201, 'it went wrong'),
          custom: is('CustomRSocketException', 0x301, 'by agreement'),
          exception: is('ApplicationErrorException', 0x201, 'boom'),
        },
        noRoute: is('ApplicationErrorException', 0x201, "No handler for destination 'books.nowhere'"),
        torn: is('ApplicationErrorException', 0x201, 'torn after 2'),
      },
    },
    { boots: [client], skip },
  );
}
