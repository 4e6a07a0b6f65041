import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { escapeHtml, html } from './html.ts';

test('every gap is text', () => {
  const evil = `<img src=x onerror="alert('1')">&`;
  assert.equal(html`<p title="${evil}">${evil}</p>`.text.match(/[<>]/g)?.join(''), '<><>');
  assert.equal(html`${'a<b'}${1}${undefined}${false}${[html`<i>`, 'x&y']}`.text, 'a&#60;b1<i>x&#38;y');
});

test('characters that turn the direction of writing, and control characters, are not passed on', () => {
  assert.equal(escapeHtml('a\u202eb\u0000c\u2066d\n'), 'a\ufffdb\ufffdc\ufffdd\ufffd');
});

test('whatever is put in: no tag begins, no attribute ends, and the text can be read back', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      const escaped = escapeHtml(text);
      assert.doesNotMatch(escaped, /[<>"'`]/);
      const back = escaped.replace(/&#(\d+);/g, (_, code) => String.fromCharCode(Number(code)));
      assert.equal(back, text.replace(/[\p{Cc}\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu, '\ufffd'));
    }),
  );
});
