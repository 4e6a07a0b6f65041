/** What of a product is wanted. */
export interface Item {
  readonly productId: string;
  readonly quantity: number;
}

/** What of a product was taken, with its name and price at that moment. */
export interface Line extends Item {
  readonly name: string;
  readonly priceCents: number;
}
