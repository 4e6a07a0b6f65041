/**
 * A Nest app. Node.js strips types and knows no decorators, so they are applied by hand, below each class: what `@Get()`
 * above a method does is a call of `Get()` with its class and its name.
 */
import 'reflect-metadata';
import { Controller, Get, Module, Param } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { join } from 'flotilla';

class Orders {
  health(): string {
    return 'well';
  }

  async order(id: string): Promise<object> {
    const payment = await fleet.fetch(`http://payments/payments/${id}`);
    return { id, by: 'nest', payment: await payment.json() };
  }
}
Controller()(Orders);
decorate(Orders, 'health', Get('/health'));
decorate(Orders, 'order', Get('/orders/:id'));
Param('id')(Orders.prototype, 'order', 0);

class App {}
Module({ controllers: [Orders] })(App);

function decorate<T>(target: new () => T, method: keyof T & string, decorator: MethodDecorator): void {
  const descriptor = Object.getOwnPropertyDescriptor(target.prototype, method);
  decorator(target.prototype as object, method, descriptor as PropertyDescriptor);
}

const app = await NestFactory.create(App, { logger: ['error', 'warn'] });
const fleet = await join({
  name: 'orders',
  server: app.getHttpServer(),
  health: '/health',
  onStop: () => app.close(),
});
await app.listen(Number(process.env['PORT'] ?? 3000), '127.0.0.1');
