import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

/** Bytes that live after a collection, on the heap and in buffers beside it. */
export function memoryInUse(): number {
  collect();
  collect(); // what the first one only unlinked
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}
