/** The answer of every subject: about 150 bytes as JSON, unless {@link setAnswerBytes} said otherwise. */
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
  /** @param ports of the instances; subjects that balance nothing take the first. @param concurrency calls at a time */
  connect(ports: readonly number[], concurrency: number): Promise<CallClient>;
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
  /** One answer of 10 MiB; resolves with its length. */
  large?(): Promise<number>;
  /** As many elements as come until the time is over; resolves with how many came. */
  streamed?(ms: number): Promise<number>;
  /** A call that nobody answers: rejects when it is refused, or when its second is over. */
  stalled?(): Promise<unknown>;
  counters?(): Promise<Readonly<Record<string, number>>>;
}

/** A mebibyte ten times, less what JSON writes around it. */
export const largeBytes: number = 10 * 1_048_576 - 1_024;

let description = 'rice, pickled radish, spring onion, sesame';

/** Makes the answer so long as JSON, or as short as it gets. The client calls it, too: it knows what it should get. */
export function setAnswerBytes(bytes: number): void {
  description = '';
  const { length } = JSON.stringify(productOf('p-1000000'));
  description = 'x'.repeat(Math.max(0, bytes - length));
}

/** What every server answers. */
export function productOf(id: string): Product {
  return {
    id,
    name: 'Harbour rice bowl',
    description,
    priceCents: 1_150,
    currency: 'EUR',
    inStock: true,
  };
}
