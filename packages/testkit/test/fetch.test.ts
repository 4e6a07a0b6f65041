import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { currentCall, type FlotillaError } from '@flotilla/core';
import { type HttpHandler, HttpHeaders, type HttpResponse, readBody } from '@flotilla/http';
import { type Fleet, ManualClock, settle, startFleet } from '@flotilla/testkit';
import { type App, type FleetFetch, service } from 'flotilla';

/** These tests move the clock themselves, and leave answers that nobody reads. */
const quiet = { time: 'stands', leftovers: 'allow' } as const;

const utf8 = new TextEncoder();

function text(status: number, body: string, fields: Record<string, string> = {}): HttpResponse {
  return { status, headers: new HttpHeaders(Object.entries(fields)), body: utf8.encode(body) };
}

interface World {
  readonly clock: ManualClock;
  readonly fetch: FleetFetch;
  readonly fleet: Fleet;
}

/** A service `orders` that answers everything by `handler`, and a caller. */
async function withOrders(
  handler: HttpHandler,
  use: (world: World) => Promise<void>,
  metadata: Record<string, string> = {},
): Promise<void> {
  const orders = service('orders', { metadata });
  for (const method of ['GET', 'POST', 'PUT']) orders.http(method, '/**', handler);
  const caller = service('caller');
  const clock = new ManualClock();
  const fleet = await startFleet({ services: [orders, caller], clock, seed: 3, ...quiet });
  try {
    await use({ clock, fetch: caller.fetch, fleet });
  } finally {
    await fleet.stop();
  }
}

/** The answer to something that waits by the clock in between. */
async function passing<T>(clock: ManualClock, work: Promise<T>, forMs = 30_000): Promise<T> {
  let over = false;
  const end = (): void => {
    over = true;
  };
  work.then(end, end);
  await settle();
  for (let passed = 0; passed < forMs && !over; passed += 10) {
    await clock.advance(10);
    await settle();
  }
  return work;
}

const echo: HttpHandler = async (request, call) => {
  const body = await readBody(request.body, 1_000_000, call);
  const { method, authority, path, query } = request;
  const type = request.headers.get('content-type') ?? '';
  return text(200, [method, authority, path.text, query, type, Buffer.from(body).toString()].join('|'), { 'x-a': '1' });
};

suite('what goes out and comes back', () => {
  test('path, query, method, fields and body arrive; the answer is a Response', async () => {
    await withOrders(echo, async ({ fetch }) => {
      const response = await fetch('http://Orders/a%20b?x=1&x=2', { method: 'POST', body: 'hi' });
      assert.equal(response.status, 200);
      assert.equal(response.headers.get('x-a'), '1');
      assert.equal(response.url, 'http://orders/a%20b?x=1&x=2');
      assert.equal(await response.text(), 'POST|orders|/a%20b|x=1&x=2|text/plain;charset=UTF-8|hi');
      const form = await fetch(new URL('http://orders/'), { method: 'POST', body: new URLSearchParams({ a: 'b' }) });
      assert.match(await form.text(), /application\/x-www-form-urlencoded;charset=UTF-8\|a=b$/);
      const given = await fetch(new Request('http://orders/r', { method: 'PUT', body: 'whole' }));
      assert.match(await given.text(), /^PUT\|orders\|\/r\|.*whole$/);
      async function* chunks() {
        yield utf8.encode('a stream ');
        yield utf8.encode('of bytes');
      }
      const streamed = await fetch('http://orders/s', { method: 'POST', body: chunks() as never });
      assert.match(await streamed.text(), /a stream of bytes$/);
    });
  });

  test('an answer of any status is an answer', async () => {
    await withOrders(
      async () => text(404, 'nothing', { 'content-type': 'text/plain' }),
      async ({ fetch }) => {
        const response = await fetch('http://orders/x');
        assert.deepEqual([response.ok, response.status, await response.text()], [false, 404, 'nothing']);
      },
    );
  });

  test('an instance that names a context path is reached below it', async () => {
    await withOrders(
      echo,
      async ({ fetch }) => assert.match(await (await fetch('http://orders/x')).text(), /^GET\|orders\|\/ctx\/x\|/),
      { 'http.context-path': '/ctx' },
    );
  });

  test('inside a call its trace and its deadline go on, and the time-out may only shorten it', async () => {
    const seen: [string, number][] = [];
    const inside: HttpHandler = async (_, call) => {
      seen.push([call.trace.traceId, call.remainingMs]);
      return text(200, '');
    };
    const front = service('front');
    front.http('GET', '/go', async (_, call) => {
      assert.equal(currentCall(), call);
      await front.fetch('http://orders/', { timeoutMs: 60_000 });
      return text(200, call.trace.traceId);
    });
    const orders = service('orders');
    orders.http('GET', '/', inside);
    const caller = service('caller');
    const fleet = await startFleet({ services: [orders, front, caller], clock: new ManualClock(), ...quiet });
    try {
      const traceId = await (await caller.fetch('http://front/go', { timeoutMs: 1_000 })).text();
      assert.deepEqual(seen, [[traceId, 980]]); // each hop keeps 10 ms for the way back
    } finally {
      await fleet.stop();
    }
  });
});

suite('whom it reaches', () => {
  const refused: readonly [url: string, why: RegExp][] = [
    ['http://127.0.0.1/x', /"127\.0\.0\.1" is a machine, no service; for other hosts take the global fetch/],
    ['http://[::1]/x', /"::1" is a machine/],
    ['http://2130706433/', /"127\.0\.0\.1" is a machine/],
    ['http://localhost/x', /"localhost" is a machine/],
    ['http://a.localhost/x', /is a machine/],
    ['http://orders:8080/x', /names port 8080, but instances have ports of their own: write http:\/\/orders\//],
    ['ftp://orders/x', /the scheme is "ftp:"/],
    ["http://or'ders/x", /is not the name of a service/],
  ];
  for (const [url, why] of refused) {
    test(`${url} is refused before anything is sent`, async () => {
      await withOrders(echo, async ({ fetch }) => {
        await assert.rejects(fetch(url), { code: 'INVALID_INPUT', executed: 'no', message: why });
      });
    });
  }

  test('a host that is no service is never passed through', async () => {
    await withOrders(echo, async ({ fetch, clock }) => {
      await clock.advance(120_000); // by now the registry knows that it knows everybody
      const work = passing(clock, fetch('http://api.example.com/x'));
      await assert.rejects(work, {
        code: 'NO_INSTANCE',
        message: /no instance of "service:api\.example\.com" is registered/,
      });
    });
  });

  test('https wants an instance that has it, and says so', async () => {
    await withOrders(echo, async ({ fetch, clock }) => {
      const work = passing(clock, fetch('https://orders/x'));
      await assert.rejects(work, { code: 'NO_INSTANCE', message: /1 without an address for "https"/ });
    });
  });

  test('a relative URL and credentials are mistakes, as for every fetch', async () => {
    await withOrders(echo, async ({ fetch }) => {
      await assert.rejects(fetch('/x'), TypeError);
      await assert.rejects(fetch('http://user:secret@orders/'), TypeError);
    });
  });
});

suite('redirects', () => {
  const to =
    (status: number, location: string): HttpHandler =>
    async (request, call) =>
      request.path.text === '/from' ? text(status, '', { location }) : echo(request, call);

  const rows: readonly [status: number, method: string, arrives: RegExp][] = [
    [301, 'POST', /^GET\|orders\|\/to\|q=1\|\|$/],
    [303, 'PUT', /^GET\|/],
    [307, 'POST', /^POST\|orders\|\/to\|q=1\|text\/plain;charset=UTF-8\|body$/],
    [308, 'PUT', /^PUT\|.*\|body$/],
  ];
  for (const [status, method, arrives] of rows) {
    test(`${status} of ${method} is followed within the service`, async () => {
      await withOrders(to(status, '/to?q=1'), async ({ fetch }) => {
        const response = await fetch('http://orders/from', { method, body: 'body' });
        assert.match(await response.text(), arrives);
        assert.deepEqual([response.redirected, response.url], [true, 'http://orders/to?q=1']);
      });
    });
  }

  const elsewhere = ['http://payments/', 'http://169.254.169.254/latest', '//evil.example/', 'https://orders/'];
  for (const location of elsewhere) {
    test(`a redirect to ${location} is not followed`, async () => {
      await withOrders(to(302, location), async ({ fetch }) => {
        await assert.rejects(fetch('http://orders/from'), { code: 'BAD_RESPONSE', message: /is another host/ });
        const answer = await fetch('http://orders/from', { redirect: 'manual' });
        assert.deepEqual([answer.status, answer.headers.get('location')], [302, location]);
      });
    });
  }

  test('a circle ends at the fifth, and "error" follows none', async () => {
    await withOrders(to(302, '/from'), async ({ fetch }) => {
      await assert.rejects(fetch('http://orders/from'), { message: /it is number 6 in a row/ });
      await assert.rejects(fetch('http://orders/from', { redirect: 'error' }), { message: /the caller wants none/ });
    });
  });

  test('a stream is not sent again', async () => {
    await withOrders(to(307, '/to'), async ({ fetch }) => {
      const body = new Blob(['x']).stream();
      await assert.rejects(fetch('http://orders/from', { method: 'POST', body }), { message: /the body was a stream/ });
    });
  });
});

suite('retries', () => {
  /** Fails so often, then answers how often it was asked. */
  function failing(times: number, failure: HttpResponse): { asked: () => number; handler: HttpHandler } {
    let asked = 0;
    return {
      asked: () => asked,
      handler: async (request, call) => {
        await readBody(request.body, 1_000_000, call);
        return ++asked <= times ? failure : text(200, String(asked));
      },
    };
  }
  const json = { 'content-type': 'application/json' };
  const boot503 = JSON.stringify({ timestamp: '2026-03-02T09:30:00Z', status: 503, error: 'Service Unavailable' });

  const rows: readonly [claim: string, init: Record<string, unknown>, failure: HttpResponse, asked: number][] = [
    ['a GET answered 503', {}, text(503, ''), 2],
    ['a GET answered 502', {}, text(502, ''), 2],
    ['a GET answered 500', {}, text(500, ''), 1],
    ['a POST answered 503', { method: 'POST', body: 'x' }, text(503, ''), 1],
    [
      'a POST with a key answered 503',
      { method: 'POST', body: 'x', headers: { 'idempotency-key': 'k1' } },
      text(503, ''),
      2,
    ],
    [
      'a POST that Spring did not handle',
      { method: 'POST', body: 'x' },
      text(503, boot503, { ...json, 'retry-after': '1' }),
      2,
    ],
    ['a POST that Spring may have handled', { method: 'POST', body: 'x' }, text(503, boot503, json), 1],
    ['a PUT with a body', { method: 'PUT', body: 'x' }, text(503, ''), 2],
    ['a PUT with a stream', { method: 'PUT', body: new Blob(['x']).stream() }, text(503, ''), 1],
    ['a GET with retry: false', { retry: false }, text(503, ''), 1],
    ['a GET answered 429 without a time', {}, text(429, ''), 1],
    ['a GET answered 429 with a time', {}, text(429, '', { 'retry-after': '2' }), 2],
    ['a GET told to come back after its deadline', {}, text(503, '', { 'retry-after': '60' }), 1],
    ['a GET told a date', {}, text(503, '', { 'retry-after': 'Fri, 31 Dec 1999 23:59:59 GMT' }), 1],
  ];
  for (const [claim, init, failure, expected] of rows) {
    test(`${claim} is asked ${expected === 1 ? 'once' : 'again'}, and its answer is the last one`, async () => {
      const { asked, handler } = failing(1, failure);
      await withOrders(handler, async ({ clock, fetch }) => {
        const response = await passing(clock, fetch('http://orders/', init), 5_000);
        await response.text();
        assert.equal(asked(), expected);
        assert.equal(response.status, expected === 1 ? failure.status : 200);
      });
    });
  }

  test('retry-after is waited for to the millisecond', async () => {
    const { asked, handler } = failing(1, text(503, '', { 'retry-after': '2' }));
    await withOrders(handler, async ({ clock, fetch }) => {
      const answer = fetch('http://orders/');
      await settle();
      await clock.advance(1_999);
      await settle();
      assert.equal(asked(), 1);
      assert.equal(await (await passing(clock, answer, 1_000)).text(), '2');
    });
  });

  test('when everything fails, retries stay within the budget', async () => {
    const { asked, handler } = failing(Infinity, text(503, ''));
    await withOrders(handler, async ({ clock, fetch }) => {
      await Promise.all(Array.from({ length: 400 }, () => passing(clock, fetch('http://orders/'), 5_000)));
      assert.ok(asked() <= 400 * 1.2 + 100 + 1, `${asked()} requests for 400 calls`);
    });
  });
});

suite('a broken instance', () => {
  test('whose health is good but whose answers are all 500 is ejected after five', async () => {
    const asked = { good: 0, broken: 0 };
    const orders = (kind: keyof typeof asked, status: number): App => {
      const app = service('orders');
      app.http('GET', '/**', async () => {
        asked[kind]++;
        return text(status, '');
      });
      return app as App;
    };
    const caller = service('caller');
    // The default pick would hardly ask it a second time: here it is asked until it is ejected.
    const clients = { orders: { balance: { pick: 'least-loaded' } } } as const;
    const apps = [orders('good', 200), orders('broken', 500), { app: caller, config: { clients } }];
    const fleet = await startFleet({ services: apps, clock: new ManualClock(), seed: 5, ...quiet });
    try {
      for (let n = 0; n < 100; n++) await (await caller.fetch('http://orders/')).text();
      assert.deepEqual(asked, { good: 95, broken: 5 });
    } finally {
      await fleet.stop();
    }
  });

  test('whose context path is none is left for the others', async () => {
    const orders = (metadata: Record<string, string>): App => {
      const app = service('orders', { metadata });
      app.http('GET', '/**', echo);
      return app as App;
    };
    const caller = service('caller');
    const apps = [orders({}), orders({ 'http.context-path': 'no path' }), caller];
    const clock = new ManualClock();
    const fleet = await startFleet({ services: apps, clock, seed: 6, ...quiet });
    try {
      for (let n = 0; n < 20; n++) {
        const response = await passing(clock, caller.fetch('http://orders/x'), 1_000);
        assert.match(await response.text(), /^GET\|orders\|\/x/);
      }
    } finally {
      await fleet.stop();
    }
  });
});

suite('time and leaving', () => {
  const never: HttpHandler = (_, call) =>
    new Promise((_resolve, reject) => void call.onCancel((reason) => reject(reason)));

  test('timeoutMs bounds the whole call', async () => {
    await withOrders(never, async ({ clock, fetch, fleet }) => {
      // The callee knows until when it is wanted, less the way back: so its own answer still arrives.
      const response = await passing(clock, fetch('http://orders/', { timeoutMs: 300 }), 300);
      assert.deepEqual([response.status, clock.now() <= 300], [504, true]);
      assert.equal(((await response.json()) as { code: string }).code, 'DEADLINE_EXCEEDED');
      // Nobody is left who could answer.
      fleet.network.around('orders').drop();
      const work = passing(clock, fetch('http://orders/', { timeoutMs: 400 }), 400);
      await assert.rejects(work, { code: 'DEADLINE_EXCEEDED' });
      await assert.rejects(fetch('http://orders/', { timeoutMs: 0 }), { code: 'INVALID_INPUT' });
    });
  });

  test('an aborted fetch rejects with the reason of its signal, before and after it was sent', async () => {
    await withOrders(never, async ({ fetch }) => {
      const controller = new AbortController();
      const work = fetch('http://orders/', { signal: controller.signal });
      controller.abort();
      await assert.rejects(work, { name: 'AbortError' });
      const reason = new Error('my own');
      await assert.rejects(fetch('http://orders/', { signal: AbortSignal.abort(reason) }), reason);
    });
  });

  test('a body that breaks rejects its reader; one that is aborted gives the reason', async () => {
    const broken: HttpHandler = async () => ({
      status: 200,
      headers: new HttpHeaders(),
      body: (async function* () {
        yield utf8.encode('begun');
        await new Promise(() => {});
      })(),
    });
    await withOrders(broken, async ({ clock, fetch }) => {
      const late = await fetch('http://orders/', { timeoutMs: 500 });
      await assert.rejects(passing(clock, late.text(), 500), { code: 'CONNECTION_LOST' }); // the callee gave up first
      const controller = new AbortController();
      const aborted = await fetch('http://orders/', { signal: controller.signal });
      const read = aborted.text();
      controller.abort();
      await assert.rejects(read, { name: 'AbortError' });
    });
  });

  test('nobody reads ahead of the reader, and who leaves stops the sender', async () => {
    let sent = 0;
    const left = Promise.withResolvers<void>();
    const endless: HttpHandler = async () => ({
      status: 200,
      headers: new HttpHeaders(),
      body: (async function* () {
        try {
          for (;;) {
            sent++;
            yield new Uint8Array(65_536);
          }
        } finally {
          left.resolve();
        }
      })(),
    });
    await withOrders(endless, async ({ clock, fetch }) => {
      const response = await fetch('http://orders/');
      const reader = response.body?.getReader();
      await reader?.read();
      await clock.advance(1_000);
      assert.ok(sent < 10, `${sent} chunks were made for a reader of one`);
      await reader?.cancel();
      await left.promise;
    });
  });

  test('names without end are not followed without end, and who is being called stays', async () => {
    const release = Promise.withResolvers<void>();
    const held: HttpHandler = async () => {
      await release.promise;
      return text(200, 'held');
    };
    await withOrders(held, async ({ clock, fetch, fleet }) => {
      const answer = fetch('http://orders/');
      await settle();
      const strangers = Promise.allSettled(
        Array.from({ length: 1_200 }, (_, n) => fetch(`http://stranger-${n}/`, { timeoutMs: 10 })),
      );
      await settle();
      await clock.advance(20);
      const reasons = (await strangers).map((result) => (result.status === 'rejected' ? result.reason.code : ''));
      assert.ok(reasons.includes('UNAVAILABLE'), 'above 1,024 at a time they are refused');
      assert.ok(!reasons.includes(''));
      await assert.rejects(passing(clock, fetch('http://one-more/', { timeoutMs: 10 }), 50));
      release.resolve();
      assert.equal(await (await answer).text(), 'held');
      assert.equal([...fleet.registry.named('orders')].length, 1);
    });
  });

  test('before the start and after the stop it refuses', async () => {
    const app = service('early');
    await assert.rejects(app.fetch('http://orders/'), (error: FlotillaError) => error.code === 'UNAVAILABLE');
    const fleet = await startFleet({ services: [app] });
    await fleet.stop();
    await assert.rejects(app.fetch('http://orders/'), {
      code: 'UNAVAILABLE',
      message: /after its service was stopped/,
    });
  });
});
