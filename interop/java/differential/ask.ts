import { Agent, type ClientRequest, type IncomingMessage, request } from 'node:http';
import { gunzipSync } from 'node:zlib';

/** A request as it goes over the wire: nothing is added but Host and what frames the body. */
export interface Ask {
  readonly method: string;
  /** Behind the server's own address: `/eureka/apps?regions=a`. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
}

/** Requests that belong together, about applications that no other scenario names. */
export interface Scenario {
  readonly name: string;
  readonly apps: readonly string[];
  readonly asks: readonly Ask[];
}

/** What came back; the body is unpacked. */
export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

const agent = new Agent({ keepAlive: true, maxSockets: 1 });

/** Sends a request and reads the whole answer. */
export async function ask(base: string, { method, path, headers = {}, body }: Ask): Promise<Answer> {
  const { hostname, port } = new URL(base);
  const framing = body === undefined ? {} : { 'content-length': String(Buffer.byteLength(body)) };
  const sent = request({ agent, hostname, port, method, path, headers: { ...headers, ...framing }, timeout: 10_000 });
  sent.end(body);
  const response = await answerTo(sent);
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk);
  const bytes = Buffer.concat(chunks);
  const zipped = response.headers['content-encoding'] === 'gzip' && bytes.length > 0;
  return {
    status: response.statusCode ?? 0,
    headers: Object.fromEntries(Object.entries(response.headers).map(([name, value]) => [name, String(value)])),
    body: (zipped ? gunzipSync(bytes) : bytes).toString(),
  };
}

function answerTo(sent: ClientRequest): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    sent.once('response', resolve);
    sent.once('error', reject);
    sent.once('timeout', () => sent.destroy(new Error(`${sent.method} ${sent.path}: no answer within 10 s`)));
  });
}
