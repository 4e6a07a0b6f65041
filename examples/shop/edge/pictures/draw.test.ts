import assert from 'node:assert/strict';
import { test } from 'node:test';
import { products } from '../../services/catalog/assortment.ts';
import { drawDish, drawn } from './draw.ts';

test('every dish of the assortment has a picture of its own, and there is none of a dish that is not sold', () => {
  assert.deepEqual([...drawn].sort(), products.map(({ id }) => id).sort());
  const pictures = products.map(({ id }) => drawDish(id, 'large'));
  assert.equal(new Set(pictures).size, products.length);
});

test('a dish is drawn the same way each time', () => {
  for (const { id } of products) assert.equal(drawDish(id, 'large'), drawDish(id, 'large'), id);
});

test('a small picture is smaller in bytes, too', () => {
  for (const { id } of products) {
    const [large, small] = [drawDish(id, 'large').length, drawDish(id, 'small').length];
    assert.ok(small < large && large < 30_000, `${id}: ${small} of ${large} bytes`);
  }
});

test('pictures are well formed, and hold nothing that could run or reach out', () => {
  for (const id of [...drawn, 'nobody drew this']) {
    const picture = drawDish(id, 'large');
    assert.match(
      picture,
      /^<svg xmlns="http:\/\/www\.w3\.org\/2000\/svg" viewBox="0 0 400 300" width="800" height="600">/,
    );
    assert.doesNotMatch(picture, /script|href|style|on[a-z]+=|NaN|undefined|Infinity/, id);
    const open: string[] = [];
    for (const [, end, name = '', closed] of picture.matchAll(/<(\/?)([a-zA-Z]+)[^<>]*?(\/?)>/g)) {
      if (end) assert.equal(open.pop(), name, id);
      else if (!closed) open.push(name);
    }
    assert.deepEqual(open, [], id);
  }
});
