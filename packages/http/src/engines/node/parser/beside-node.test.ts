import assert from 'node:assert/strict';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { after, before, describe, it } from 'node:test';
import fc from 'fast-check';
import { mangled, read, whole } from '../../../../test/read-requests.ts';

/** A request as a server reads it. */
interface Understood {
  readonly method: string;
  readonly target: string;
  readonly fields: readonly string[];
  readonly body: string;
}

/** Asks the server of Node.js how it reads bytes. */
class NodeReader {
  readonly #server: Server;
  #understood: (Understood | undefined)[] = [];

  constructor() {
    this.#server = createServer({ requireHostHeader: false, shouldUpgradeCallback: () => false });
    const take = (request: IncomingMessage, response: ServerResponse): void => void this.#take(request, response);
    this.#server.on('request', take).on('checkContinue', take).on('checkExpectation', take);
    this.#server.on('connect', (_, socket) => socket.destroy());
  }

  async start(): Promise<void> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
  }

  stop(): void {
    this.#server.close();
  }

  /** The requests that came whole. */
  async read(text: string): Promise<Understood[]> {
    this.#understood = [];
    const socket = connect((this.#server.address() as AddressInfo).port, '127.0.0.1').on('error', () => {});
    socket.resume().end(text, 'latin1');
    await new Promise((resolve) => socket.once('close', resolve));
    return this.#understood.filter((request) => request !== undefined);
  }

  async #take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const understood = this.#understood;
    const place = understood.push(undefined) - 1;
    const { method = '', url: target = '', rawHeaders } = request;
    const fields = rawHeaders.map((part, index) => (index % 2 === 0 ? part.toLowerCase() : part));
    let body = '';
    try {
      for await (const chunk of request.setEncoding('latin1')) body += chunk;
      understood[place] = { method, target, fields, body };
    } catch {
      // It did not come whole.
    }
    response.end();
  }
}

/** Those that came whole, up to the one that is the last on its connection. */
function ours(text: string): { requests: Understood[]; refused: boolean } {
  const { requests, refused } = read(whole(text));
  const last = requests.findIndex(({ head }) => !head.fields.keepAlive);
  const complete = (last < 0 ? requests : requests.slice(0, last + 1)).filter((request) => request.whole);
  return {
    requests: complete.map(({ head: { method, target, fields }, body }) => ({
      method,
      target,
      fields: fields.raw,
      body,
    })),
    refused: refused !== undefined,
  };
}

/** Node loses what stands behind a wish to upgrade that it does not obey, where both come together. */
const comparable = mangled.filter((text) => !/upgrade/i.test(text));

describe('beside the parser of Node.js', () => {
  const node = new NodeReader();
  before(() => node.start());
  after(() => node.stop());

  it('what is well formed is read the same', { timeout: 30_000 }, async () => {
    const token = fc
      .stringMatching(/^[A-Za-z][A-Za-z0-9-]{0,12}$/)
      .filter((name) => !/^(?:host|content-length|transfer-encoding|connection|upgrade|expect|trailer)$/i.test(name));
    const value = fc.stringMatching(/^[!-~](?:[ -~]{0,20}[!-~])?$/);
    const request = fc
      .record({
        method: fc.constantFrom('GET', 'POST', 'PUT', 'DELETE', 'PATCH', 'REPORT'),
        target: fc.stringMatching(/^\/[a-z0-9/?=&]{0,20}$/),
        fields: fc.array(fc.tuple(token, value), { maxLength: 8 }),
        body: fc.oneof(fc.constant(undefined), fc.string({ unit: 'binary-ascii', maxLength: 30 })),
        inChunks: fc.boolean(),
      })
      .map(({ method, target, fields, body, inChunks }) => {
        const lines = [`${method} ${target} HTTP/1.1`, 'Host: a', 'Connection: close'];
        for (const [name, text] of fields) lines.push(`${name}: ${text}`);
        if (body === undefined) return `${lines.join('\r\n')}\r\n\r\n`;
        if (!inChunks) return `${lines.join('\r\n')}\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
        const cut = body.length >> 1;
        const chunks = [body.slice(0, cut), body.slice(cut)].filter((part) => part !== '');
        const framed = chunks.map((part) => `${part.length.toString(16)}\r\n${part}\r\n`).join('');
        return `${lines.join('\r\n')}\r\nTransfer-Encoding: chunked\r\n\r\n${framed}0\r\n\r\n`;
      });
    const property = fc.asyncProperty(request, async (text) => {
      const { requests, refused } = ours(text);
      assert.deepEqual([refused, requests.length], [false, 1]);
      assert.deepEqual(requests, await node.read(text), JSON.stringify(text));
    });
    await fc.assert(property, { numRuns: 300, seed: 7 });
  });

  it('what is mangled is refused, or read the same: nothing is taken that another server would read as something else', {
    timeout: 60_000,
  }, async () => {
    let taken = 0;
    const property = fc.asyncProperty(comparable, async (text) => {
      const { requests } = ours(text);
      taken += requests.length;
      const theirs = await node.read(text);
      assert.deepEqual(requests, theirs.slice(0, requests.length), JSON.stringify(text));
    });
    await fc.assert(property, { numRuns: 1_000, seed: 11 });
    assert.ok(taken > 200, `${taken} requests were compared`);
  });
});
