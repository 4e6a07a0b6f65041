/** `@grpc/grpc-js` with Protocol Buffers, over one connection. */
import { join } from 'node:path';
import grpc from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import { type CallSubject, type Product, productOf } from '../calls/subject.ts';

interface Asked {
  readonly id: string;
  readonly quantity: number;
}

type Answer = (error: Error | null, product?: Product) => void;

const { catalog } = grpc.loadPackageDefinition(loadSync(join(import.meta.dirname, 'catalog.proto'))) as unknown as {
  readonly catalog: { readonly Catalog: grpc.ServiceClientConstructor };
};

export const subject: CallSubject = {
  async serve() {
    let handled = 0;
    const server = new grpc.Server();
    server.addService(catalog.Catalog.service, {
      product({ request }: { readonly request: Asked }, answer: Answer) {
        handled++;
        answer(null, productOf(request.id));
      },
    });
    const credentials = grpc.ServerCredentials.createInsecure();
    const port = await new Promise<number>((resolve, reject) => {
      server.bindAsync('127.0.0.1:0', credentials, (error, bound) => (error ? reject(error) : resolve(bound)));
    });
    return { port, handled: () => handled };
  },
  async connect([port]) {
    const client = new catalog.Catalog(`127.0.0.1:${port}`, grpc.credentials.createInsecure()) as unknown as {
      product(asked: Asked, answer: Answer): void;
    };
    return {
      call: (id, quantity) =>
        new Promise((resolve, reject) => {
          client.product({ id, quantity }, (error, product) => (product ? resolve(product) : reject(error)));
        }),
    };
  },
};
