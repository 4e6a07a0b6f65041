/** A place in a {@link Listeners} list. It belongs to the list. */
export class Place<T> {
  readonly listener: T;
  previous: Place<T> | undefined;
  next: Place<T> | undefined;

  constructor(listener: T, previous: Place<T> | undefined) {
    this.listener = listener;
    this.previous = previous;
    this.next = undefined;
  }
}

/**
 * Who is to be told, in the order in which they came. A call has few listeners and is short-lived: a linked list costs one
 * small object each, where a `Set` costs a table before it holds anything.
 */
export class Listeners<T> {
  #first: Place<T> | undefined;
  #last: Place<T> | undefined;

  add(listener: T): Place<T> {
    const place = new Place(listener, this.#last);
    if (this.#last) this.#last.next = place;
    else this.#first = place;
    this.#last = place;
    return place;
  }

  /** Removing twice does nothing more. */
  remove(place: Place<T>): void {
    const { previous, next } = place;
    if (previous) previous.next = next;
    else if (this.#first === place) this.#first = next;
    else return; // it was removed before
    if (next) next.previous = previous;
    else this.#last = previous;
    // Whoever still holds the place must not hold those that came after it.
    place.previous = undefined;
    place.next = undefined;
  }

  /** Empties the list, one after the other, and hands each to `tell`, which may change anything but the list. */
  drain<Told>(tell: (listener: T, told: Told) => void, told: Told): void {
    let place = this.#first;
    this.#first = undefined;
    this.#last = undefined;
    while (place) {
      const { listener, next }: Place<T> = place;
      place.previous = undefined;
      place.next = undefined;
      tell(listener, told);
      place = next;
    }
  }
}
