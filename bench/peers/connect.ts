/** `@connectrpc/connect-node`: its own protocol, Protocol Buffers, over one HTTP/2 connection. */
import { createServer } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { create, createFileRegistry, type DescMethodUnary, type DescService } from '@bufbuild/protobuf';
import { FieldDescriptorProto_Label, FieldDescriptorProto_Type, FileDescriptorSetSchema } from '@bufbuild/protobuf/wkt';
import { type ConnectRouter, createClient } from '@connectrpc/connect';
import { connectNodeAdapter, createConnectTransport } from '@connectrpc/connect-node';
import { type CallSubject, type Product, productOf } from '../calls/subject.ts';

/** `catalog.proto`, as its generated code would describe it. */
type Catalog = DescService & { readonly method: { readonly product: DescMethodUnary } };
const catalog = describeCatalog();

export const subject: CallSubject = {
  async serve() {
    let handled = 0;
    const routes = (router: ConnectRouter): void => {
      router.service(catalog, {
        product(asked: { readonly id: string }) {
          handled++;
          return productOf(asked.id);
        },
      } as object);
    };
    const server = createServer(connectNodeAdapter({ routes }));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return { port: (server.address() as AddressInfo).port, handled: () => handled };
  },
  async connect([port]) {
    const transport = createConnectTransport({ baseUrl: `http://127.0.0.1:${port}`, httpVersion: '2' });
    const client = createClient(catalog, transport) as unknown as {
      product(asked: object): Promise<Product>;
    };
    return { call: (id, quantity) => client.product({ id, quantity }) };
  },
};

function describeCatalog(): Catalog {
  const { STRING, INT32, BOOL } = FieldDescriptorProto_Type;
  const message = (name: string, fields: Readonly<Record<string, FieldDescriptorProto_Type>>): object => ({
    name,
    field: Object.entries(fields).map(([field, type], index) => ({
      name: field,
      number: index + 1,
      type,
      label: FieldDescriptorProto_Label.OPTIONAL,
      jsonName: field.replace(/_(.)/g, (_, letter: string) => letter.toUpperCase()),
    })),
  });
  const file = {
    name: 'catalog.proto',
    package: 'catalog',
    syntax: 'proto3',
    messageType: [
      message('Asked', { id: STRING, quantity: INT32 }),
      message('Product', {
        id: STRING,
        name: STRING,
        description: STRING,
        price_cents: INT32,
        currency: STRING,
        in_stock: BOOL,
      }),
    ],
    service: [
      { name: 'Catalog', method: [{ name: 'Product', inputType: '.catalog.Asked', outputType: '.catalog.Product' }] },
    ],
  };
  const found = createFileRegistry(create(FileDescriptorSetSchema, { file: [file as never] })).getService(
    'catalog.Catalog',
  );
  if (!found) throw new Error('catalog.Catalog is not described');
  return found as Catalog;
}
