/** The answer of every subject: about 150 bytes as JSON. */
export interface Product {
  readonly id: string;
  readonly name: string;
  readonly description: string;
  readonly priceCents: number;
  readonly currency: string;
  readonly inStock: boolean;
}

/** One way for two processes to call each other. The same work for all: look a product up by its id. */
export interface CallSubject {
  /** Serves on 127.0.0.1. */
  serve(): Promise<CallServer>;
  connect(port: number, concurrency: number): Promise<CallClient>;
}

export interface CallServer {
  readonly port: number;
  /** Calls that it answered. */
  handled(): number;
  /** What it counted, for a subject that claims the whole stack. */
  counters?(): Promise<Readonly<Record<string, number>>>;
}

export interface CallClient {
  call(id: string, quantity: number): Promise<Product>;
  /** Sends an invalid field; resolves with true when it was refused for that. Only where the server validates. */
  invalid?(id: string): Promise<boolean>;
  counters?(): Promise<Readonly<Record<string, number>>>;
}

/** What every server answers. */
export function productOf(id: string): Product {
  return {
    id,
    name: 'Harbour rice bowl',
    description: 'rice, pickled radish, spring onion, sesame',
    priceCents: 1_150,
    currency: 'EUR',
    inStock: true,
  };
}
