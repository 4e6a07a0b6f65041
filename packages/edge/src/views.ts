import { type KnownFields, type Shape, type Trimmed, trim } from './trim.ts';

/** A value as one kind of device gets it. */
export type Views<T, V> = <D extends keyof V>(device: D, value: T) => Trimmed<T, V[D]>;

/**
 * The views of a `T`, one per kind of device. In two steps, because TypeScript infers all type arguments or none.
 *
 * ```ts
 * const productFor = views<Product>()({ web: true, mobile: { id: true, name: true } });
 * return productFor(deviceOf((name) => request.headers.get(name)), product);
 * ```
 */
export function views<T>(): <const V extends { readonly [device: string]: Shape<T> }>(
  shapes: V & { readonly [D in keyof V]: KnownFields<NonNullable<T>, V[D]> },
) => Views<T, V> {
  return (shapes) => (device, value) => {
    if (!Object.hasOwn(shapes, device)) {
      const known = Object.keys(shapes).join('", "');
      throw new RangeError(`there is no view for "${String(device)}"; there are "${known}"`);
    }
    return trim(value, shapes[device] as never);
  };
}
