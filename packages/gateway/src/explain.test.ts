import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Resolver } from '@flotilla/core';
import { ManualClock, seededRandom } from '@flotilla/core/testing';
import { memoryNetwork } from '@flotilla/http/memory';
import fc from 'fast-check';
import { checkRoutes } from './document/read.ts';
import type { Gateway } from './gateway.ts';
import { createGateway } from './routing-gateway.ts';

const nobody: Resolver = { watch: () => ({ close() {} }) };

function gatewayOf(...routes: readonly object[]): Gateway {
  const needs = { clock: new ManualClock(), random: seededRandom(2) };
  const gateway = createGateway({ ...needs, network: memoryNetwork(needs), resolver: nobody });
  gateway.apply(checkRoutes({ routes: routes.map((route) => ({ to: 'service://web', ...route })) }));
  return gateway;
}

describe('explain', () => {
  it('names the route, what its pattern took, and why each other one does not take the request', () => {
    const gateway = gatewayOf(
      { id: 'all', path: '/**' },
      { id: 'path', path: ['/b', '/c/**'] },
      { id: 'host', path: '/a/**', hosts: ['other.example'] },
      { id: 'header', path: '/a/**', headers: { 'x-beta': '1' } },
      { id: 'query', path: '/a/**', query: { preview: '*' } },
      { id: 'method', path: '/a/**', methods: ['POST', 'PUT'] },
      { id: 'winner', path: '/a/{id}', methods: ['GET'], to: 'http://127.0.0.1:9000' },
    );
    const explanation = gateway.explain({ host: 'shop.example', target: '/x/../a/%37?q=1' });
    assert.deepEqual(explanation, {
      version: 1,
      path: '/a/7',
      route: 'winner',
      to: 'http://127.0.0.1:9000',
      params: { id: '7' },
      allow: [],
      verdicts: [
        { id: 'all', matches: true, reason: '"winner" wins: higher priority, or more exact' },
        { id: 'path', matches: false, reason: 'its path /b, /c/** does not match' },
        { id: 'host', matches: false, reason: 'it serves the hosts other.example' },
        { id: 'header', matches: false, reason: 'it wants the header fields x-beta: 1' },
        { id: 'query', matches: false, reason: 'it wants the query preview=*' },
        { id: 'method', matches: false, reason: 'it takes the methods POST, PUT' },
        { id: 'winner', matches: true, reason: 'takes it' },
      ],
    });
  });

  it('says what would be taken where only the method does not fit', () => {
    const gateway = gatewayOf({ id: 'a', path: '/a', methods: ['POST'] });
    const { route, allow } = gateway.explain({ target: '/a' });
    assert.deepEqual([route, allow], [undefined, ['POST']]);
  });

  it('refuses a path that no listener would take', () => {
    assert.throws(() => gatewayOf().explain({ target: '/..' }), { code: 'MALFORMED_REQUEST' });
  });

  it('agrees with the table: a route is chosen exactly when one says that it matches', () => {
    const segment = fc.constantFrom('a', 'b', '{x}');
    const route = fc.record({
      path: fc.array(segment, { minLength: 1, maxLength: 2 }).map((parts) => `/${[...new Set(parts)].join('/')}`),
      methods: fc.constantFrom(['GET'], ['POST']),
      hosts: fc.constantFrom(['one.example'], ['*.example']),
      headers: fc.constantFrom({}, { 'x-a': '1' }, { 'x-a': '*' }),
      priority: fc.integer({ min: 0, max: 3 }),
    });
    const request = fc.record({
      method: fc.constantFrom('GET', 'POST', 'HEAD'),
      host: fc.constantFrom('one.example', 'two.example', 'other'),
      target: fc.constantFrom('/a', '/b', '/a/b', '/c', '/c/d'),
      headers: fc.constantFrom<Record<string, string>>({}, { 'x-a': '1' }, { 'x-a': '2' }),
    });
    fc.assert(
      fc.property(fc.array(route, { maxLength: 6 }), request, (routes, asked) => {
        const distinct = new Map(routes.map((one) => [JSON.stringify({ ...one, priority: 0 }), one]));
        const { route: chosen, verdicts } = gatewayOf(
          ...[...distinct.values()].map((one, index) => ({ id: `r${index}`, ...one })),
        ).explain(asked);
        assert.equal(
          chosen !== undefined,
          verdicts.some(({ matches }) => matches),
        );
        assert.equal(verdicts.filter(({ reason }) => reason === 'takes it').length, chosen === undefined ? 0 : 1);
      }),
    );
  });
});
