/** Nest microservices over their TCP transport. Decorators are functions: they are called as such. */
import 'reflect-metadata';
import { Controller, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ClientProxyFactory, MessagePattern, Transport } from '@nestjs/microservices';
import { firstValueFrom } from 'rxjs';
import { type CallSubject, type Product, productOf } from '../calls/subject.ts';
import { freePort } from '../harness/processes.ts';

let handled = 0;

class CatalogController {
  product({ id }: { readonly id: string }): Product {
    handled++;
    return productOf(id);
  }
}
const method = Object.getOwnPropertyDescriptor(CatalogController.prototype, 'product') as PropertyDescriptor;
MessagePattern('product')(CatalogController.prototype, 'product', method);
Controller()(CatalogController);

class CatalogModule {}
Module({ controllers: [CatalogController] })(CatalogModule);

export const subject: CallSubject = {
  async serve() {
    const port = await freePort();
    const options = { transport: Transport.TCP, options: { host: '127.0.0.1', port } } as const;
    const app = await NestFactory.createMicroservice(CatalogModule, { ...options, logger: false });
    await app.listen();
    return { port, handled: () => handled };
  },
  async connect([port = 0]) {
    const client = ClientProxyFactory.create({ transport: Transport.TCP, options: { host: '127.0.0.1', port } });
    await client.connect();
    return { call: (id, quantity) => firstValueFrom(client.send<Product>('product', { id, quantity })) };
  },
};
