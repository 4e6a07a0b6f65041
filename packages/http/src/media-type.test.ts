import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { acceptsMediaType, parseMediaType } from './media-type.ts';

suite('parseMediaType', () => {
  test('reads type, subtype and parameters', () => {
    assert.deepEqual(parseMediaType(' Application/Problem+JSON ; Charset="utf-8" ;; a="x;\\"y" '), {
      essence: 'application/problem+json',
      type: 'application',
      subtype: 'problem+json',
      parameters: new Map([
        ['charset', 'utf-8'],
        ['a', 'x;"y'],
      ]),
    });
  });

  for (const text of [
    '',
    'json',
    'a/b/c',
    '/b',
    'a/',
    'a /b',
    'a/b;c',
    'a/b;=d',
    'a/b;c=',
    'a/b;c=d e',
    'a/b;c="d',
    'a/b;c = d',
    'é/b',
  ]) {
    test(`refuses ${JSON.stringify(text)}`, () => assert.equal(parseMediaType(text), undefined));
  }

  test('the first of two parameters with one name counts', () => {
    assert.equal(parseMediaType('a/b;c=1;C=2')?.parameters.get('c'), '1');
  });
});

suite('acceptsMediaType', () => {
  const json = 'application/json';
  const lines = 'application/x-ndjson';
  const events = 'text/event-stream';
  const rows: [accept: string | undefined, offered: string[], liked: string | undefined][] = [
    [undefined, [json, events], json],
    ['', [json, events], json],
    ['*/*', [json, events], json],
    ['text/event-stream', [json, events], events],
    ['TEXT/Event-Stream', [json, events], events],
    ['text/*', [json, events], events],
    ['text/html', [json, events], undefined],
    ['text/html, */*;q=0.1', [json, events], json],
    ['application/json;q=0.5, text/event-stream;q=0.6', [json, events], events],
    ['application/json, text/event-stream', [events, json], events],
    ['*/*, application/json;q=0', [json, events], events],
    ['application/json;q=0', [json], undefined],
    ['application/*;q=0.9, application/json;q=0.1', [json, lines], lines],
    ['application/json;q=0.1, application/*;q=0.9', [json, lines], lines],
    ['text/plain;format=flowed, text/plain;q=0.1, application/json;q=0.5', ['text/plain', json], json],
    [
      'text/plain;format=flowed, text/plain;q=0.1, application/json;q=0.5',
      [json, 'text/plain; format=Flowed'],
      'text/plain; format=Flowed',
    ],
    ['application/json;q=1.000', [json], json],
    ['nonsense', [json], json],
    ['application/json;q=2, text/event-stream;q=0.5', [json, events], events],
    ['application/json;q=x, text/event-stream', [json, events], events],
    ['*/json, text/event-stream', [json, events], events],
    ['a/b;c="d,text/event-stream"', [events], undefined],
    ['*/*', [], undefined],
  ];
  for (const [accept, offered, liked] of rows) {
    test(`${accept} of ${offered.join(', ')} is ${liked}`, () =>
      assert.equal(acceptsMediaType(accept, offered), liked));
  }
});
