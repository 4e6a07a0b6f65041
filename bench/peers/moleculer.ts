/** Moleculer over its TCP transporter, without its own discovery: the addresses are given. */
import { ServiceBroker } from 'moleculer';
import { type CallSubject, type Product, productOf } from '../calls/subject.ts';
import { freePort } from '../harness/processes.ts';

export const subject: CallSubject = {
  async serve() {
    let handled = 0;
    const port = await freePort();
    const broker = createBroker('server', port, [`127.0.0.1:${port}/server`]);
    broker.createService({
      name: 'catalog',
      actions: {
        product: {
          params: { id: 'string', quantity: 'number' },
          handler({ params }: { readonly params: { readonly id: string } }) {
            handled++;
            return productOf(params.id);
          },
        },
      },
    });
    await broker.start();
    return { port, handled: () => handled };
  },
  async connect([port]) {
    const own = await freePort();
    const urls = [`127.0.0.1:${port}/server`, `127.0.0.1:${own}/client`];
    const broker = createBroker('client', own, urls);
    await broker.start();
    await broker.waitForServices('catalog', 20_000);
    return { call: (id, quantity) => broker.call<Product, object>('catalog.product', { id, quantity }) };
  },
};

function createBroker(nodeID: string, port: number, urls: readonly string[]): ServiceBroker {
  const addresses = [...urls] as never; // a list is taken too, whatever the types say
  return new ServiceBroker({
    nodeID,
    logger: false,
    transporter: { type: 'TCP', options: { udpDiscovery: false, port, urls: addresses, gossipPeriod: 1 } },
  });
}
