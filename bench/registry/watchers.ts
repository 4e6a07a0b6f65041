/**
 * Many callers of a registry, each on a connection of its own: told by push (ours), or asking for the delta every 30 s as
 * Eureka's clients do. Measures how long after a registration each of them knows of it.
 */
import { connect, type Socket } from 'node:net';
import { serveHarness } from '../harness/program.ts';
import { instanceAt, registrationOf } from './fleet.ts';

const port = Number(process.argv[2]);
/** What all of them wait for, since when, and how long each waited. */
let wanted = { text: '', since: 0, waits: [] as number[], complete: (): void => {} };
/** How many there are. */
let callers = 0;
let ready = 0;

serveHarness(
  {},
  {
    push: async ({ count, service }) => {
      callers = Number(count);
      for (let n = 0; n < Number(count); n++) follow(n, String(service));
      while (ready < Number(count)) await pause(5);
      return { ready };
    },
    poll: async ({ count, everyMs }) => {
      callers = Number(count);
      for (let n = 0; n < Number(count); n++) poll(n, Number(everyMs));
      while (ready < Number(count)) await pause(5);
      return { ready };
    },
    /** Registers an instance, and waits until everybody has heard of it. */
    change: async ({ index }) => {
      const { id, app } = instanceAt(Number(index));
      const complete = new Promise<void>((resolve) => {
        wanted = { text: id, since: performance.now(), waits: [], complete: resolve };
      });
      const body = registrationOf(Number(index), Date.now());
      const type = 'Content-Type: application/json\r\n';
      const socket = connect({ port, host: '127.0.0.1', noDelay: true });
      socket.end(
        `POST /eureka/apps/${app} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n${type}Connection: close\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
      );
      await complete;
      return { waits: wanted.waits };
    },
  },
);

function follow(number: number, service: string): void {
  const socket = dial(number);
  socket.write(
    `GET /v1/watch?service=${service} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nAccept: text/event-stream\r\n\r\n`,
  );
  let isReady = false;
  let heardOf = '';
  let held = '';
  socket.on('data', (chunk: Buffer) => {
    const text = held + chunk.toString('latin1');
    held = text.slice(-300); // a text may be cut by the end of a piece
    if (!isReady && text.includes('event: snapshot')) {
      isReady = true;
      ready++;
    }
    if (wanted.text === heardOf || !text.includes(wanted.text)) return;
    heardOf = wanted.text;
    hear();
  });
}

/**
 * Begins at some moment of its interval, as clients that started some time do. Between two questions a server may close a
 * connection that is idle (Tomcat does so after 20 s): the next one is asked on another.
 */
function poll(number: number, everyMs: number): void {
  let socket: Socket | undefined;
  let heardOf = '';
  let held = '';
  let isReady = false;
  const hears = (chunk: Buffer): void => {
    held += chunk.toString('latin1');
    if (!isReady) ready++;
    isReady = true;
    if (wanted.text === '' || wanted.text === heardOf || !held.includes(wanted.text)) return;
    heardOf = wanted.text;
    hear();
  };
  const ask = (): void => {
    held = '';
    if (!socket?.writable) socket = dial(number).on('data', hears);
    socket.write(`GET /eureka/apps/delta HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nAccept: application/json\r\n\r\n`);
  };
  ask();
  setTimeout(
    () => {
      ask();
      setInterval(ask, everyMs);
    },
    (number * 7_919) % everyMs,
  );
}

function hear(): void {
  wanted.waits.push(performance.now() - wanted.since);
  if (wanted.waits.length === callers) wanted.complete();
}

function dial(number: number): Socket {
  const socket = connect({ port, host: '127.0.0.1', localAddress: `127.0.0.${2 + (number % 50)}`, noDelay: true });
  // Some registries end connections by a reset. Of a caller that hears nothing the change is never heard, which fails the row.
  return socket.on('error', () => {});
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
