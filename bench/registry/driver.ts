/**
 * Loads a registry over raw sockets, one request at a time on each connection: a client library would need more of the
 * core than the server that is measured.
 */
import { connect, type Socket } from 'node:net';
import { serveHarness } from '../harness/program.ts';
import { AnswerReader } from './answer-reader.ts';
import { type LoadKind, Requests } from './requests.ts';

interface Connection {
  /** Another one after the server closed the one before. */
  socket: Socket;
  reader: AnswerReader;
  readonly number: number;
  /** What is done when an answer is whole. */
  answered: (status: number) => void;
  /** A request is on its way. */
  isAsking: boolean;
  sentAt: number;
}

/** What was counted. */
interface Tally {
  operations: number;
  /** Answers with another status than 200 and 204. */
  refused: number;
  /** The last of those statuses; 0: there was none. */
  refusal: number;
  /** Connections that broke without a word. */
  broken: number;
  bytes: number;
  /** Milliseconds from request to answer, of those that were sampled. */
  waits: number[];
}

const port = Number(process.argv[2]);
const requests = new Requests({ port, user: process.argv[3] ?? '' });
let connections: Connection[] = [];
let broken = 0;
/** Bytes that were read on connections that the server closed. */
let bytesBefore = 0;

serveHarness(
  {},
  {
    connect: async ({ count }) => {
      await open(Number(count));
      return { connections: connections.length };
    },
    fill: ({ from = 0, instances }) => fill(Number(from), Number(instances)),
    leavers: ({ from, count: many }) => fill(Number(from), Number(from) + Number(many), (n) => requests.leaver(n)),
    run: ({ kind, instances, ms }) => run(kind as LoadKind, Number(instances), Number(ms)),
    paced: ({ instances, everyMs, ms }) => paced(Number(instances), Number(everyMs), Number(ms)),
    close: () => {
      const closing = connections;
      connections = [];
      for (const { socket } of closing) socket.destroy();
    },
  },
);

/** As many connections as asked for, a hundred at a time. */
async function open(count: number): Promise<void> {
  while (connections.length > count) connections.pop()?.socket.destroy();
  while (connections.length < count) {
    const batch = Math.min(100, count - connections.length);
    connections.push(...(await Promise.all(Array.from({ length: batch }, (_, n) => dial(connections.length + n)))));
  }
}

/** Asks something at once, as a client does: a server gives up a connection on which nothing comes. */
async function dial(number: number): Promise<Connection> {
  const socket = await socketOf(number);
  const connection: Connection = {
    socket,
    reader: new AnswerReader(),
    number,
    answered: nothing,
    isAsking: false,
    sentAt: 0,
  };
  listen(connection);
  await new Promise<void>((resolve, reject) => {
    socket.once('close', () =>
      reject(new Error(`connection ${number} to port ${port} was closed before its first answer`)),
    );
    connection.answered = () => resolve();
    send(connection, requests.nobody);
  });
  connection.answered = nothing;
  return connection;
}

/** A loopback address has 28,000 ports: connections are spread over several of them. */
function socketOf(number: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const localAddress = `127.0.${1 + Math.floor(number / 10_000)}.1`;
    const socket = connect({ port, host: '127.0.0.1', localAddress, noDelay: true });
    socket.once('connect', () => resolve(socket)).once('error', reject);
  });
}

function listen(connection: Connection): void {
  const { socket, reader } = connection;
  socket.on('data', (chunk: Buffer) => {
    const status = reader.take(chunk);
    if (status === undefined) return;
    if (!connection.isAsking) {
      broken++; // an answer to nothing: the server gives the connection up
      return;
    }
    connection.isAsking = false;
    if (reader.closes) void renew(connection, status);
    else connection.answered(status);
  });
  socket.on('close', () => {
    if (connection.socket === socket && connections.includes(connection)) broken++;
  });
}

/** The server said that it closes after this answer, as Tomcat does after a hundred: as its clients, we come again. */
async function renew(connection: Connection, status: number): Promise<void> {
  connection.socket.removeAllListeners('close').destroy();
  bytesBefore += connection.reader.bytes;
  connection.reader = new AnswerReader();
  try {
    connection.socket = await socketOf(connection.number);
    listen(connection);
  } catch {
    broken++;
  }
  connection.answered(status);
}

/** Registers instances `from` to `instances`, each once. */
async function fill(
  from: number,
  instances: number,
  bytesOf = (index: number): Buffer => requests.registration(index),
): Promise<object> {
  let next = from;
  const tally = newTally();
  const startedAt = performance.now();
  await eachConnection((connection, done) => {
    const step = (): void => {
      if (next >= instances) done();
      else send(connection, bytesOf(next++));
    };
    connection.answered = (status) => {
      count(tally, status);
      step();
    };
    step();
  });
  return { ...summaryOf(tally), wallMs: performance.now() - startedAt };
}

/** As many requests as are answered, one at a time on each connection. */
async function run(kind: LoadKind, instances: number, ms: number): Promise<object> {
  let next = 0;
  const tally = newTally();
  const startedAt = performance.now();
  const until = startedAt + ms;
  await eachConnection((connection, done) => {
    const step = (): void => {
      const index = next++ % instances;
      send(connection, requests.of(kind, index));
    };
    connection.answered = (status) => {
      count(tally, status);
      const now = performance.now();
      if (tally.operations % 16 === 0) tally.waits.push(now - connection.sentAt);
      if (now < until) step();
      else done();
    };
    step();
  });
  return { ...summaryOf(tally), wallMs: performance.now() - startedAt };
}

/** Each instance renews every `everyMs`, evenly spread; connection n speaks for the instances n, n + connections, … */
async function paced(instances: number, everyMs: number, ms: number): Promise<object> {
  const tally = newTally();
  const waiting = connections.map((): number[] => []);
  const busy = connections.map(() => false);
  for (const [n, connection] of connections.entries()) {
    connection.answered = (status) => {
      count(tally, status);
      tally.waits.push(performance.now() - connection.sentAt);
      const index = waiting[n]?.shift();
      if (index === undefined) busy[n] = false;
      else send(connection, requests.of('heartbeat', index));
    };
  }
  const startedAt = performance.now();
  let due = 0;
  await new Promise<void>((resolve) => {
    const timer = setInterval(() => {
      const elapsed = performance.now() - startedAt;
      const until = Math.floor((Math.min(elapsed, ms) / everyMs) * instances);
      for (; due < until; due++) {
        const index = due % instances;
        const n = index % connections.length;
        const connection = connections[n] as Connection;
        if (busy[n]) waiting[n]?.push(index);
        else {
          busy[n] = true;
          send(connection, requests.of('heartbeat', index));
        }
      }
      if (elapsed < ms || tally.operations < due) return;
      clearInterval(timer);
      resolve();
    }, 5);
  });
  return { ...summaryOf(tally), due, wallMs: performance.now() - startedAt };
}

function eachConnection(start: (connection: Connection, done: () => void) => void): Promise<unknown> {
  return Promise.all(connections.map((connection) => new Promise<void>((resolve) => start(connection, resolve))));
}

function send(connection: Connection, bytes: Buffer): void {
  connection.isAsking = true;
  connection.sentAt = performance.now();
  connection.socket.write(bytes);
}

function count(tally: Tally, status: number): void {
  tally.operations++;
  if (status === 200 || status === 204) return;
  tally.refused++;
  tally.refusal = status;
}

function newTally(): Tally {
  for (const { reader } of connections) reader.bytes = 0;
  broken = 0;
  bytesBefore = 0;
  return { operations: 0, refused: 0, refusal: 0, broken: 0, bytes: 0, waits: [] };
}

function summaryOf({ operations, refused, refusal, waits }: Tally): object {
  const sorted = waits.sort((a, b) => a - b);
  const at = (share: number): number => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0;
  const bytes = connections.reduce((sum, { reader }) => sum + reader.bytes, bytesBefore);
  return { operations, refused, refusal, broken, bytes, p50: at(0.5), p99: at(0.99), most: at(1) };
}

function nothing(): void {}
