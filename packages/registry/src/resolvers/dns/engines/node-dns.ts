import { randomInt } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { getServers } from 'node:dns';
import { connect } from 'node:net';
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
  return new Promise<DnsAnswer>((resolve, reject) => {
    const leave = call.onCancel((reason) => end(() => reject(unanswered(server, reason))));
    const end = (settle: () => void): void => {
      leave?.();
      socket.removeAllListeners();
      socket.on('error', () => {});
      socket.close();
      settle();
    };
    socket.on('error', (cause) => end(() => reject(unanswered(server, cause))));
    socket.on('message', (bytes) => {
      try {
        const answer = decodeAnswer(bytes, question, id);
        if (answer) end(() => resolve(answer));
        else if (++strays > maxStrays) end(() => reject(unanswered(server, new Error('a flood of foreign answers'))));
      } catch (thrown) {
        end(() => reject(thrown));
      }
    });
    socket.connect(server.port, server.host, () => socket.send(message));
  });
}

function overTcp(question: DnsQuestion, server: Server, call: Call): Promise<DnsAnswer> {
  const id = randomInt(65_536);
  const message = encodeQuestion(question, id);
  const socket = connect(server.port, server.host);
  const chunks: Buffer[] = [];
  let length = 0;
  return new Promise<DnsAnswer>((resolve, reject) => {
    const leave = call.onCancel((reason) => end(() => reject(unanswered(server, reason))));
    const end = (settle: () => void): void => {
      leave?.();
      socket.removeAllListeners();
      socket.on('error', () => {});
      socket.destroy();
      settle();
    };
    socket.on('error', (cause) => end(() => reject(unanswered(server, cause))));
    socket.on('close', () =>
      end(() => reject(unanswered(server, new Error('the connection ended before the answer')))),
    );
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
      try {
        const answer = decodeAnswer(bytes, question, id);
        end(() => (answer ? resolve(answer) : reject(unanswered(server, new Error('an answer to something else')))));
      } catch (thrown) {
        end(() => reject(thrown));
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
