/**
 * The reference of the row: JSON, one message a line, over one socket, and nothing else. What is written within one
 * turn of the event loop goes out in one write. It validates nothing, has no deadline, no trace, no limits and no
 * balancing: it is what the two cores could do.
 */

import type { AddressInfo } from 'node:net';
import { connect, createServer, type Socket } from 'node:net';
import { type CallSubject, type Product, productOf } from './subject.ts';

interface Asked {
  readonly n: number;
  readonly id: string;
  readonly quantity: number;
}

interface Answered {
  readonly n: number;
  readonly product: Product;
}

export const subject: CallSubject = {
  async serve() {
    let handled = 0;
    const server = createServer({ noDelay: true }, (socket) => {
      const write = gathered(socket);
      eachLine(socket, (line) => {
        const { n, id } = JSON.parse(line) as Asked;
        handled++;
        write({ n, product: productOf(id) } satisfies Answered);
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return { port: (server.address() as AddressInfo).port, handled: () => handled };
  },
  async connect(ports) {
    const calls = await Promise.all(ports.map(callsTo));
    let turn = 0;
    return { call: (id, quantity) => (calls[turn++ % calls.length] as Call)(id, quantity) };
  },
};

type Call = (id: string, quantity: number) => Promise<Product>;

async function callsTo(port: number): Promise<Call> {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true });
  await new Promise((resolve) => socket.once('connect', resolve));
  const write = gathered(socket);
  const waiting = new Map<number, (product: Product) => void>();
  let last = 0;
  eachLine(socket, (line) => {
    const { n, product } = JSON.parse(line) as Answered;
    waiting.get(n)?.(product);
    waiting.delete(n);
  });
  return (id, quantity) => {
    const n = ++last;
    return new Promise<Product>((resolve) => {
      waiting.set(n, resolve);
      write({ n, id, quantity } satisfies Asked);
    });
  };
}

function gathered(socket: Socket): (message: object) => void {
  let pending = '';
  const flush = (): void => {
    const text = pending;
    pending = '';
    socket.write(text);
  };
  return (message) => {
    if (pending === '') setImmediate(flush);
    pending += `${JSON.stringify(message)}\n`;
  };
}

function eachLine(socket: Socket, take: (line: string) => void): void {
  let rest: string[] = []; // pieces of a line that is not whole yet
  socket.setEncoding('utf8').on('data', (chunk: string) => {
    const lines = chunk.split('\n');
    const last = lines.pop() ?? '';
    for (const line of lines) {
      if (rest.length > 0) rest.push(line);
      take(rest.length > 0 ? rest.join('') : line);
      rest = [];
    }
    if (last !== '') rest.push(last);
  });
}
