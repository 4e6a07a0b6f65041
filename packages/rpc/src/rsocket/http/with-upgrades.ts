import type { Call, Endpoint, EndpointStatus } from '@flotilla/core';
import type { HttpRequest, HttpResponse } from '@flotilla/http';

/**
 * One address behind two endpoints: requests go over `fast`, but those that ask for another protocol, which take a
 * connection with them, over `http1`, which is made when the first of them comes.
 */
export function withUpgrades(
  fast: Endpoint<HttpRequest, HttpResponse>,
  http1: () => Endpoint<HttpRequest, HttpResponse>,
): Endpoint<HttpRequest, HttpResponse> {
  return new WithUpgrades(fast, http1);
}

class WithUpgrades implements Endpoint<HttpRequest, HttpResponse> {
  readonly #fast: Endpoint<HttpRequest, HttpResponse>;
  readonly #makeHttp1: () => Endpoint<HttpRequest, HttpResponse>;
  #http1: Endpoint<HttpRequest, HttpResponse> | undefined;
  #closing: Promise<void> | undefined;

  constructor(fast: Endpoint<HttpRequest, HttpResponse>, http1: () => Endpoint<HttpRequest, HttpResponse>) {
    this.#fast = fast;
    this.#makeHttp1 = http1;
  }

  get status(): EndpointStatus {
    return this.#fast.status;
  }

  get load(): number {
    return this.#fast.load + (this.#http1?.load ?? 0);
  }

  readonly handle = (request: HttpRequest, call: Call): Promise<HttpResponse> => {
    if (!request.upgrade || this.#fast.status === 'closed') return this.#fast.handle(request, call);
    this.#http1 ??= this.#makeHttp1();
    return this.#http1.handle(request, call);
  };

  close(): Promise<void> {
    this.#closing ??= Promise.all([this.#fast.close(), this.#http1?.close()]).then(() => undefined);
    return this.#closing;
  }
}
