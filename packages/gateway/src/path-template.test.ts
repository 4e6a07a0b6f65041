import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { compileRoutes, HttpHeaders, parsePath } from '@flotilla/http';
import fc from 'fast-check';
import { expandTemplate, type PathTemplate, parseTemplate, patternNames } from './path-template.ts';

describe('a path template', () => {
  const filled: readonly (readonly [template: string, pattern: string, path: string, result: string])[] = [
    ['/api/{*rest}', '/shop/{*rest}', '/shop/a/b', '/api/a/b'],
    ['/api/{*rest}', '/shop/{*rest}', '/shop/a/b/', '/api/a/b/'],
    ['/{b}/{a}', '/{a}/{b}', '/1/2', '/2/1'],
    ['/x/{id}/y', '/{id}/**', '/a%2Fb/c', '/x/a%2Fb/y'],
    ['/x/{id}', '/{id}', '/%E2%82%AC', '/x/%E2%82%AC'],
    ['/fixed', '/**', '/anything', '/fixed'],
    ['/', '/**', '/anything', '/'],
  ];
  for (const [template, pattern, path, result] of filled) {
    it(`${template} for ${path} of ${pattern} is ${result}`, () => {
      assert.equal(expandTemplate(read(template), pattern, path), result);
    });
  }

  it('keeps any value inside its segment, so that the result is canonical', () => {
    const segment = fc
      .string({ minLength: 1, maxLength: 12, unit: 'grapheme' })
      .filter((text) => text.isWellFormed() && !['.', '..'].includes(text))
      .map(encodeURIComponent);
    fc.assert(
      fc.property(segment, fc.array(segment, { minLength: 1, maxLength: 4 }), (id, rest) => {
        const path = canonical(`/in/${id}/${rest.join('/')}`);
        fc.pre(path !== undefined && matches('/in/{id}/{*rest}', path));
        const result = expandTemplate(read('/out/{id}/of/{*rest}'), '/in/{id}/{*rest}', path ?? '');
        assert.equal(canonical(result), result);
        const [, , expectedId, ...expectedRest] = path?.split('/') ?? [];
        assert.equal(result, `/out/${expectedId}/of/${expectedRest.join('/')}`);
      }),
    );
  });

  it('knows the names of a pattern', () => {
    assert.deepEqual(patternNames('/a/{id}/{*rest}'), ['id', 'rest']);
    assert.deepEqual(patternNames('/a/**'), []);
  });
});

function read(text: string): PathTemplate {
  const template = parseTemplate(text);
  assert(typeof template !== 'string', `${template}`);
  return template;
}

function canonical(path: string): string | undefined {
  try {
    return parsePath(path, { encodedSlash: 'keep' }).text;
  } catch {
    return undefined;
  }
}

function matches(pattern: string, path: string): boolean {
  const request = { method: 'GET', authority: 'a', query: '', headers: new HttpHeaders() };
  const table = compileRoutes([{ path: pattern, value: true }]);
  return table.match({ ...request, path: parsePath(path, { encodedSlash: 'keep' }) }).kind === 'found';
}
