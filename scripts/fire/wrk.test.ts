import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseWrk } from './wrk.ts';

const clean = `Running 10s test @ http://127.0.0.1:21600/
  1 threads and 16 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency     4.02ms    1.36ms  41.80ms   93.63%
    Req/Sec     4.03k   243.18     4.33k    83.00%
  Latency Distribution
     50%  912.00us
     75%    4.10ms
     90%    4.91ms
     99%    1.03s 
  40151 requests in 10.01s, 17.19MB read
Requests/sec:   4011.30
Transfer/sec:      1.72MB
`;

test('a report without errors is read, whatever the units are', () => {
  assert.deepEqual(parseWrk(clean), {
    requests: 40_151,
    requestsPerSecond: 4_011.3,
    p50Ms: 0.912,
    p99Ms: 1_030,
    socketErrors: { connect: 0, read: 0, write: 0, timeout: 0 },
    badStatus: 0,
  });
});

test('socket errors and bad statuses are counted', () => {
  const lines =
    '  Socket errors: connect 1, read 22, write 3, timeout 4\n  Non-2xx or 3xx responses: 57\nRequests/sec:';
  const { socketErrors, badStatus } = parseWrk(clean.replace('Requests/sec:', lines));
  assert.deepEqual(socketErrors, { connect: 1, read: 22, write: 3, timeout: 4 });
  assert.equal(badStatus, 57);
});

test('what is no report is refused', () => {
  assert.throws(() => parseWrk('unable to connect to 127.0.0.1:1 Connection refused'), /no requests/);
  assert.throws(() => parseWrk(clean.replace('99%', '9x%')), /no 99%/);
});
