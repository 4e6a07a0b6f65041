import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { StreamTable } from './stream-table.ts';

test('it does what a map does, whatever comes and goes', () => {
  const step = fc.record({ add: fc.boolean(), skip: fc.nat(70), pick: fc.nat() });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 400 }), (steps) => {
      const table = new StreamTable<{ id: number }>();
      const naive = new Map<number, { id: number }>();
      let last = -1;
      for (const { add, skip, pick } of steps) {
        if (add || naive.size === 0) {
          last += 2 * (1 + skip);
          const stream = { id: last };
          table.add(stream);
          naive.set(last, stream);
        } else {
          const stream = [...naive.values()][pick % naive.size] as { id: number };
          assert.equal(table.delete(stream), true);
          assert.equal(table.delete(stream), false);
          assert.equal(table.get(stream.id), undefined);
          naive.delete(stream.id);
        }
        assert.equal(table.size, naive.size);
        for (const stream of naive.values()) assert.equal(table.get(stream.id), stream);
      }
      assert.deepEqual(new Set(table.all()), new Set(naive.values()));
    }),
  );
});
