import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { type AddressInfo, createServer, type Server } from 'node:net';

/** A record as the test server gives it; `data` as bytes on the wire. */
export interface ServedRecord {
  readonly name: string;
  readonly type: number;
  readonly ttl: number;
  readonly data: Uint8Array;
}

/** How one question is answered. Default: no error, no records. */
export interface ServedAnswer {
  /** 0 no error, 2 SERVFAIL, 3 NXDOMAIN, 5 REFUSED. */
  readonly code?: number;
  readonly records?: readonly ServedRecord[];
  readonly authorities?: readonly ServedRecord[];
  /** Over UDP only the sign that it did not fit. */
  readonly truncated?: boolean;
  /** Instead of an answer: these bytes, behind the id of the question. Nothing at all for `silent`. */
  readonly raw?: Uint8Array | 'silent';
  /** Sent first: answers that are not meant for the question. */
  readonly strays?: number;
}

/** A small name server on loopback, over UDP and TCP, written from RFC 1035 for tests. */
export interface DnsTestServer {
  /** `127.0.0.1:PORT` */
  readonly address: string;
  readonly port: number;
  /** `udp A name` for each question, in order. */
  readonly asked: string[];
  /** What a question is answered with from now on; the key is `A name` or `SRV name`. */
  readonly zone: Map<string, ServedAnswer>;
  close(): Promise<void>;
}

const typeNames: Readonly<Record<number, string>> = { 1: 'A', 28: 'AAAA', 33: 'SRV' };

export async function dnsTestServer(): Promise<DnsTestServer> {
  const zone = new Map<string, ServedAnswer>();
  const asked: string[] = [];
  const udp = createSocket('udp4');
  udp.on('message', (bytes, { address, port: from }) => {
    for (const answer of answersTo(bytes, 'udp', zone, asked)) udp.send(answer, from, address);
  });
  const tcp = createServer((socket) => {
    socket.on('error', () => {});
    socket.on('data', (bytes) => {
      for (const answer of answersTo(bytes.subarray(2), 'tcp', zone, asked)) {
        const head = Buffer.alloc(2);
        head.writeUInt16BE(answer.length);
        socket.write(Buffer.concat([head, answer]));
      }
    });
  });
  const port = await onOnePort(udp, tcp);
  return { address: `127.0.0.1:${port}`, port, asked, zone, close: () => closeBoth(udp, tcp) };
}

/** A port that is free for one of both may be taken for the other: then another one is tried. */
async function onOnePort(udp: Socket, tcp: Server): Promise<number> {
  for (let tries = 1; ; tries++) {
    tcp.listen(0, '127.0.0.1');
    await once(tcp, 'listening');
    const { port } = tcp.address() as AddressInfo;
    try {
      udp.bind(port, '127.0.0.1');
      await once(udp, 'listening');
      return port;
    } catch (taken) {
      if (tries === 10) throw taken;
      tcp.close();
      await once(tcp, 'close');
    }
  }
}

/** An A record. */
export function aRecord(name: string, address: string, ttl = 60): ServedRecord {
  return { name, type: 1, ttl, data: Uint8Array.from(address.split('.').map(Number)) };
}

/** An AAAA record of `fd00::` and a last number. */
export function aaaaRecord(name: string, last: number, ttl = 60): ServedRecord {
  const data = new Uint8Array(16);
  data[0] = 0xfd;
  data[15] = last;
  return { name, type: 28, ttl, data };
}

export function srvRecord(
  name: string,
  target: string,
  port: number,
  { priority = 0, weight = 0, ttl = 60 }: { priority?: number; weight?: number; ttl?: number } = {},
): ServedRecord {
  const head = Buffer.alloc(6);
  head.writeUInt16BE(priority, 0);
  head.writeUInt16BE(weight, 2);
  head.writeUInt16BE(port, 4);
  return { name, type: 33, ttl, data: Buffer.concat([head, nameBytes(target)]) };
}

export function cnameRecord(name: string, to: string, ttl = 60): ServedRecord {
  return { name, type: 5, ttl, data: nameBytes(to) };
}

/** The record of a zone whose last number says how long a name is not there. */
export function soaRecord(zone: string, negativeTtl: number): ServedRecord {
  const numbers = Buffer.alloc(20);
  numbers.writeUInt32BE(negativeTtl, 16);
  return {
    name: zone,
    type: 6,
    ttl: 3_600,
    data: Buffer.concat([nameBytes(`ns.${zone}`), nameBytes(`root.${zone}`), numbers]),
  };
}

export function nameBytes(name: string): Buffer {
  const labels = name === '' ? [] : name.split('.');
  return Buffer.concat([
    ...labels.map((label) => Buffer.from([label.length, ...Buffer.from(label)])),
    Buffer.from([0]),
  ]);
}

function answersTo(bytes: Buffer, over: 'udp' | 'tcp', zone: DnsTestServer['zone'], asked: string[]): Buffer[] {
  const { name, type, end } = questionIn(bytes);
  const key = `${typeNames[type] ?? type} ${name}`;
  asked.push(`${over} ${key}`);
  const answer = zone.get(key) ?? {};
  if (answer.raw === 'silent') return [];
  const id = bytes.subarray(0, 2);
  if (answer.raw) return [Buffer.concat([id, answer.raw])];
  const { code = 0, records = [], authorities = [], truncated = false, strays = 0 } = answer;
  const cut = truncated && over === 'udp';
  const head = Buffer.alloc(10);
  head.writeUInt16BE(0x8180 | code | (cut ? 0x0200 : 0), 0);
  head.writeUInt16BE(1, 2);
  head.writeUInt16BE(cut ? 0 : records.length, 4);
  head.writeUInt16BE(cut ? 0 : authorities.length, 6);
  const body = cut ? [] : [...records, ...authorities].map(recordBytes);
  const whole = Buffer.concat([id, head, bytes.subarray(12, end), ...body]);
  const stray = Buffer.from(whole);
  stray.writeUInt16BE((id.readUInt16BE(0) + 1) & 0xffff, 0);
  return [...Array.from({ length: strays }, () => stray), whole];
}

function questionIn(bytes: Buffer): { name: string; type: number; end: number } {
  const labels: string[] = [];
  let at = 12;
  for (let size = bytes[at] ?? 0; size > 0; size = bytes[at] ?? 0) {
    labels.push(bytes.toString('latin1', at + 1, at + 1 + size));
    at += size + 1;
  }
  return { name: labels.join('.'), type: bytes.readUInt16BE(at + 1), end: at + 5 };
}

function recordBytes({ name, type, ttl, data }: ServedRecord): Buffer {
  const head = Buffer.alloc(10);
  head.writeUInt16BE(type, 0);
  head.writeUInt16BE(1, 2);
  head.writeUInt32BE(ttl, 4);
  head.writeUInt16BE(data.length, 8);
  return Buffer.concat([nameBytes(name), head, data]);
}

async function closeBoth(udp: Socket, tcp: Server): Promise<void> {
  await Promise.all([
    new Promise<void>((resolve) => udp.close(() => resolve())),
    new Promise<void>((resolve) => tcp.close(() => resolve())),
  ]);
}
