import { randomInt } from 'node:crypto';
import { createSocket, type Socket as UdpSocket } from 'node:dgram';
import { getServers } from 'node:dns';
import { connect, type Socket as TcpSocket } from 'node:net';
import { type Call, FlotillaError } from '@flotilla/core';
import type { DnsPort } from '../dns-port.ts';
import { type DnsAnswer, type DnsQuestion, decodeAnswer, dnsLimits, encodeQuestion } from '../message.ts';

/** What {@link nodeDns} is told. */
export interface NodeDnsOptions {
  /** `10.96.0.10`, `10.96.0.10:5353`, `[::1]:5353`. Default: those of this machine, asked for each time. */
  readonly servers?: readonly string[];
  /** One server is waited for this long before the next one is asked. Default 2,000. */
  readonly serverTimeoutMs?: number;
}

interface Server {
  readonly host: string;
  readonly port: number;
}

/** Answers over UDP that are none of ours are passed over, but not without end. */
const maxStrays = 64;

/**
 * Name servers over UDP, and over TCP where an answer is truncated. Each question goes out from a port of its own with an
 * unforeseeable id (RFC 5452 §4), on a socket that takes datagrams of the asked server only.
 */
export function nodeDns(options: NodeDnsOptions = {}): DnsPort {
  const { serverTimeoutMs = 2_000 } = options;
  return {
    async ask(question: DnsQuestion, call: Call) {
      let failure: unknown = new FlotillaError('CONNECTION_LOST', 'no name server is configured');
      for (const text of (options.servers ?? getServers()).slice(0, 8)) {
        const server = parseServer(text);
        try {
          const answer = await askServer(question, server, call, serverTimeoutMs);
          if (answer.kind !== 'failed') return answer;
          failure = answer;
        } catch (thrown) {
          if (call.cancelled) throw thrown;
          failure = thrown;
        }
      }
      if (isFailedAnswer(failure)) return failure;
      throw failure;
    },
  } satisfies DnsPort;
}

async function askServer(
  question: DnsQuestion,
  server: Server,
  parent: Call,
  timeoutMs: number,
): Promise<Exclude<DnsAnswer, { kind: 'truncated' }>> {
  for (const transport of [overUdp, overTcp]) {
    const call = parent.child({ timeoutMs });
    try {
      const answer = await transport(question, server, call);
      if (answer.kind !== 'truncated') return answer;
    } finally {
      call.end();
    }
  }
  throw new FlotillaError('BAD_RESPONSE', `the name server ${server.host} truncates its answer over TCP too`);
}

function overUdp(question: DnsQuestion, server: Server, call: Call): Promise<DnsAnswer> {
  const id = randomInt(65_536);
  const message = encodeQuestion(question, id);
  const socket = createSocket(server.host.includes(':') ? 'udp6' : 'udp4');
  let strays = 0;
  return oneAnswer(
    socket,
    () => socket.close(),
    server,
    call,
    (hear) => {
      socket.on('message', (bytes) =>
        hear(() => {
          const answer = decodeAnswer(bytes, question, id);
          if (!answer && ++strays > maxStrays) throw unanswered(server, new Error('a flood of foreign answers'));
          return answer;
        }),
      );
      socket.connect(server.port, server.host, () => socket.send(message));
    },
  );
}

function overTcp(question: DnsQuestion, server: Server, call: Call): Promise<DnsAnswer> {
  const id = randomInt(65_536);
  const message = encodeQuestion(question, id);
  const socket = connect(server.port, server.host);
  const chunks: Buffer[] = [];
  let length = 0;
  return oneAnswer(
    socket,
    () => socket.destroy(),
    server,
    call,
    (hear) => {
      socket.on('connect', () => {
        const head = Buffer.alloc(2);
        head.writeUInt16BE(message.length);
        socket.write(Buffer.concat([head, message]));
      });
      socket.on('data', (chunk: Buffer) => {
        chunks.push(chunk);
        length += chunk.length;
        const bytes = wholeMessage(chunks, length);
        if (!bytes) return;
        hear(() => {
          const answer = decodeAnswer(bytes, question, id);
          if (!answer) throw unanswered(server, new Error('an answer to something else'));
          return answer;
        });
      });
      socket.on('close', () =>
        hear(() => {
          throw unanswered(server, new Error('the connection ended before the answer'));
        }),
      );
    },
  );
}

/**
 * Waits until something that is heard on the socket is the answer, or throws; then, and when nobody wants it any more, the
 * socket is closed, and nothing is heard any more.
 */
function oneAnswer(
  socket: UdpSocket | TcpSocket,
  close: () => void,
  server: Server,
  call: Call,
  begin: (hear: (read: () => DnsAnswer | undefined) => void) => void,
): Promise<DnsAnswer> {
  return new Promise((resolve, reject) => {
    const end = (): void => {
      leave?.();
      socket.removeAllListeners();
      socket.on('error', () => {});
      close();
    };
    const fail = (thrown: unknown): void => {
      end();
      reject(thrown);
    };
    let leave: (() => void) | undefined;
    leave = call.onCancel((reason) => fail(unanswered(server, reason)));
    if (call.cancelled) return;
    socket.on('error', (cause) => fail(unanswered(server, cause)));
    begin((read) => {
      try {
        const answer = read();
        if (!answer) return;
        end();
        resolve(answer);
      } catch (thrown) {
        fail(thrown);
      }
    });
  });
}

/** RFC 1035 §4.2.2: two bytes of length, then the message. At most 64 kB are ever held, and what one read brings. */
function wholeMessage(chunks: Buffer[], length: number): Buffer | undefined {
  if (length < 2) return undefined;
  const bytes = Buffer.concat(chunks);
  const size = Math.min(bytes.readUInt16BE(0), dnsLimits.maxMessageBytes);
  chunks.splice(0, chunks.length, bytes);
  return bytes.length - 2 >= size ? bytes.subarray(2, 2 + size) : undefined;
}

function unanswered({ host, port }: Server, cause: unknown): FlotillaError {
  return new FlotillaError('CONNECTION_LOST', `the name server ${host} port ${port} does not answer`, { cause });
}

/** @throws FlotillaError CONFIG_INVALID */
export function parseServer(text: string): Server {
  const [, v6, name, port = '53'] = /^(?:\[([0-9A-Fa-f:.]+)\]|([^:[\]]+))(?::(\d{1,5}))?$/.exec(text) ?? [];
  const host = v6 ?? name ?? (/^[0-9A-Fa-f:.]+$/.test(text) ? text : undefined);
  if (host !== undefined && Number(port) > 0 && Number(port) < 65_536) return { host, port: Number(port) };
  throw new FlotillaError('CONFIG_INVALID', `"${text.slice(0, 80)}" is no name server; write 10.96.0.10 or [::1]:5353`);
}

function isFailedAnswer(value: unknown): value is Extract<DnsAnswer, { kind: 'failed' }> {
  return typeof value === 'object' && value !== null && (value as { kind?: unknown }).kind === 'failed';
}
