/** The first key after all that begin with `prefix`: its last byte that can be raised, raised (etcd's `range_end`). */
export function prefixEnd(prefix: string): Buffer {
  const bytes = Buffer.from(prefix);
  for (let last = bytes.length - 1; last >= 0; last--) {
    const byte = bytes[last] ?? 0xff;
    if (byte === 0xff) continue;
    const end = Buffer.from(bytes.subarray(0, last + 1));
    end[last] = byte + 1;
    return end;
  }
  return Buffer.from([0]); // etcd: a range_end of one zero byte means all keys from `key` on
}
