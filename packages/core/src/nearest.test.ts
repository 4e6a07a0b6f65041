import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { nearest } from './nearest.ts';

describe('nearest', () => {
  const known = ['port', 'host', 'maxBodyBytes', 'keepAlive'];
  const rows: [claim: string, word: string, expected: string | undefined][] = [
    ['a letter left out', 'prt', 'port'],
    ['a letter added', 'portt', 'port'],
    ['a letter replaced', 'pory', 'port'],
    ['two neighbours swapped', 'prot', 'port'],
    ['other case', 'MAXBODYBYTES', 'maxBodyBytes'],
    ['up to a third of the letters', 'maxBdyByte', 'maxBodyBytes'],
    ['nothing for more than that', 'maxByte', undefined],
    ['nothing for another word', 'zone', undefined],
  ];
  for (const [claim, word, expected] of rows) it(`finds ${claim}`, () => assert.equal(nearest(word, known), expected));
});
