import assert from 'node:assert/strict';
import { skip } from './programs/java.ts';
import { startOurService } from './programs/ours.ts';
import { BooksCallee } from './rsocket/books-callee.ts';
import type { SpringError } from './rsocket/spring-caller.ts';
import { springClaims } from './rsocket/spring-claims.ts';

const is = (type: string, code: number, message: string | RegExp) => (error: SpringError) => {
  assert.deepEqual([error.type, error.code], [type, code]);
  if (typeof message === 'string') assert.equal(error.message, message);
  else assert.match(error.message ?? '', message);
};

/** A service of ours as its user starts it; it needs no registry to be called at its port. */
async function start(port = 0): Promise<BooksCallee> {
  const program = await startOurService('books', 'interop/java/rsocket/library.ts', 'http://127.0.0.1:1', port);
  const callee = new BooksCallee(Number(new URL(program.url).port), () => program.kill());
  program.onLine((line) => {
    if (line.startsWith('{"handler"')) callee.tell(JSON.parse(line));
  });
  return callee;
}

springClaims(
  'a service of ours',
  {
    start,
    failures: {
      byKind: {
        // Its handler had begun, so it does not count as refused.
        unavailable: is('ApplicationErrorException', 0x201, 'not now'),
        declared: is('ApplicationErrorException', 0x201, 'burnt'),
        exception: is('ApplicationErrorException', 0x201, /^the callee failed; its log holds the reason/),
      },
      noRoute: is('RejectedException', 0x202, /^no operation is served as "books\.nowhere"/),
      torn: is('ApplicationErrorException', 0x201, /^the callee failed; its log holds the reason/),
    },
  },
  { boots: ['current', 'next'], skip },
);
