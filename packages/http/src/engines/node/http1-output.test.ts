import assert from 'node:assert/strict';
import type { Socket } from 'node:net';
import { Duplex } from 'node:stream';
import { describe, it } from 'node:test';
import { Http1Output } from './http1-output.ts';

/** What takes the place of a socket: each write that reaches the kernel, as text; taken at once, or when told. */
class Kernel extends Duplex {
  readonly writes: string[] = [];
  readonly #slow: boolean;
  #taken: (() => void) | undefined;

  constructor(slow = false) {
    super({ decodeStrings: false, read() {} });
    this.#slow = slow;
  }

  takeAll(): void {
    const taken = this.#taken;
    this.#taken = undefined;
    taken?.();
  }

  override _write(chunk: Buffer | string, _: string, done: () => void): void {
    this.#accept(asText(chunk), done);
  }

  override _writev(chunks: { chunk: Buffer | string }[], done: () => void): void {
    this.#accept(chunks.map(({ chunk }) => asText(chunk)).join(''), done);
  }

  #accept(text: string, done: () => void): void {
    this.writes.push(text);
    if (this.#slow) this.#taken = done;
    else done();
  }
}

function asText(chunk: Buffer | string): string {
  return typeof chunk === 'string' ? chunk : chunk.toString('latin1');
}

function outputTo(kernel: Kernel): Http1Output {
  return new Http1Output(kernel as unknown as Socket);
}

describe('what a connection writes', () => {
  it('texts that are gathered are one write, with short bodies among them', () => {
    const kernel = new Kernel();
    const output = outputTo(kernel);
    output.text('alone ');
    output.gather();
    output.text('one ');
    output.textAndBytes('two ', Buffer.from('\xff\n', 'latin1'));
    output.text('three');
    assert.deepEqual(kernel.writes, ['alone ']);
    output.flush();
    output.flush();
    output.text('!');
    assert.deepEqual(kernel.writes, ['alone ', 'one two \xff\nthree', '!']);
  });

  it('what is gathered has a bound', () => {
    const kernel = new Kernel();
    const output = outputTo(kernel);
    output.gather();
    for (let index = 0; index < 5; index++) output.text('x'.repeat(30_000));
    assert.deepEqual(
      kernel.writes.map(({ length }) => length),
      [90_000],
    );
    output.flush();
    assert.equal(kernel.writes.join('').length, 150_000);
  });

  it('everything that handlers answer before the loop turns is one write', async () => {
    const kernel = new Kernel();
    const output = outputTo(kernel);
    for (const text of ['one ', 'two']) {
      output.gatherTurn();
      output.text(text);
      await undefined;
    }
    assert.deepEqual(kernel.writes, []);
    await new Promise((resolve) => setImmediate(resolve));
    assert.deepEqual(kernel.writes, ['one two']);
  });

  it('small chunks of one turn are one write, also when nobody flushes', async () => {
    const kernel = new Kernel();
    const output = outputTo(kernel);
    for (const text of ['a', 'b']) {
      assert.equal(output.chunk(Buffer.from(text)), true);
      await undefined;
    }
    assert.deepEqual(kernel.writes, []);
    await new Promise((resolve) => setImmediate(resolve));
    assert.deepEqual(kernel.writes, ['1\r\na\r\n1\r\nb\r\n']);
  });

  it('a long body, and each long chunk of a stream, goes out in one write behind what was gathered', () => {
    const kernel = new Kernel();
    const output = outputTo(kernel);
    const long = Buffer.alloc(5_000, 'a');
    output.gather();
    output.text('before ');
    output.textAndBytes('head ', long);
    output.text('gathered ');
    output.chunk(Buffer.from('short'));
    output.chunk(long);
    output.bytes(Buffer.from('bare'));
    output.endChunks();
    output.flush();
    assert.deepEqual(kernel.writes, [
      `before head ${long}`,
      'gathered 5\r\nshort\r\n',
      `1388\r\n${long}\r\n`,
      'bare',
      '0\r\n\r\n',
    ]);
  });

  it('is clear when the kernel has taken everything, and says so', async () => {
    const kernel = new Kernel(true);
    const output = outputTo(kernel);
    let told = 0;
    output.whenClear(() => told++);
    assert.deepEqual([output.clear, told], [true, 1]);
    output.text('answer');
    output.whenClear(() => told++);
    assert.deepEqual([output.clear, told], [false, 1]);
    for (let turn = 0; turn < 3; turn++) {
      kernel.takeAll();
      await new Promise((resolve) => setImmediate(resolve));
    }
    assert.deepEqual([output.clear, told], [true, 2]);
  });

  it('what was gathered for a connection that is gone is dropped', () => {
    const kernel = new Kernel();
    const output = outputTo(kernel);
    output.gather();
    output.text('late');
    kernel.destroy();
    output.flush();
    assert.deepEqual(kernel.writes, []);
  });
});
