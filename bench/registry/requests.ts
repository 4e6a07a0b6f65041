import { instanceAt, leaverOf, registrationOf } from './fleet.ts';

/** What the load of a registry consists of. */
export type LoadKind = 'heartbeat' | 'registration' | 'fetch' | 'delta';

/** Where the requests go, and as whom. */
export interface Target {
  readonly port: number;
  /** `user:password`; empty: nobody. */
  readonly user: string;
}

/** Makes request bytes as Spring's client sends them (RestTemplate, Spring Cloud 2025.0). */
export class Requests {
  readonly #fields: string;
  /** Of each instance, the timestamp of what it registered last. */
  readonly dirty: number[] = [];
  readonly #heartbeats: Buffer[] = [];
  readonly #reads = new Map<string, Buffer>();

  constructor({ port, user }: Target) {
    const authorization = user === '' ? '' : `Authorization: Basic ${Buffer.from(user).toString('base64')}\r\n`;
    this.#fields =
      'Accept: application/json, application/*+json\r\n' +
      `${authorization}Accept-Encoding: gzip, x-gzip, deflate\r\nHost: 127.0.0.1:${port}\r\n` +
      'Connection: keep-alive\r\nUser-Agent: Apache-HttpClient/5.4.4 (Java/17.0.15)\r\n';
  }

  of(kind: LoadKind, index: number): Buffer {
    if (kind === 'heartbeat') return this.#heartbeat(index);
    if (kind === 'registration') return this.registration(index);
    return this.#read(kind === 'fetch' ? '/eureka/apps/' : '/eureka/apps/delta');
  }

  /** An application that nobody has registered: answered with 404, at next to no cost. */
  get nobody(): Buffer {
    return this.#read('/eureka/apps/NOBODY');
  }

  /** Each one is newer than the one before it, as after a change or a restart. */
  registration(index: number): Buffer {
    const dirty = Math.max(Date.now(), (this.dirty[index] ?? 0) + 1);
    this.dirty[index] = dirty;
    delete this.#heartbeats[index];
    const { app } = instanceAt(index);
    return this.#post(app, registrationOf(index, dirty));
  }

  /** Somebody who never renews. */
  leaver(index: number): Buffer {
    const { app, body } = leaverOf(index, Date.now());
    return this.#post(app, body);
  }

  #post(app: string, body: string): Buffer {
    const head = `POST /eureka/apps/${app} HTTP/1.1\r\n${this.#fields}Content-Type: application/json\r\n`;
    return Buffer.from(`${head}Content-Length: ${body.length}\r\n\r\n${body}`);
  }

  #heartbeat(index: number): Buffer {
    const known = this.#heartbeats[index];
    if (known) return known;
    const { app, id } = instanceAt(index);
    const target = `/eureka/apps/${app}/${id}?status=UP&lastDirtyTimestamp=${this.dirty[index]}`;
    const made = Buffer.from(`PUT ${target} HTTP/1.1\r\n${this.#fields}Content-Length: 0\r\n\r\n`);
    this.#heartbeats[index] = made;
    return made;
  }

  #read(path: string): Buffer {
    const known = this.#reads.get(path);
    if (known) return known;
    const made = Buffer.from(`GET ${path} HTTP/1.1\r\n${this.#fields}\r\n`);
    this.#reads.set(path, made);
    return made;
  }
}
