import type { Random } from '@flotilla/core';

/** Index of a random candidate, drawn by weight: at once when all are alike, else by halving the sums of weights. */
export function weightedDraw(weights: readonly number[], random: Random): () => number {
  const { length } = weights;
  if (areAlike(weights)) return () => Math.floor(random() * length);
  const sums = new Float64Array(length);
  let total = 0;
  for (const [index, weight] of weights.entries()) sums[index] = total += weight;
  return () => {
    const point = random() * total;
    let low = 0;
    let high = length - 1;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((sums[middle] as number) > point) high = middle;
      else low = middle + 1;
    }
    return low;
  };
}

export function areAlike(weights: readonly number[]): boolean {
  return weights.every((weight) => weight === weights[0]);
}
