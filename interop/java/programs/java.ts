import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { type Program, startProgram } from './program.ts';

type Jar = 'eureka-server' | 'rsocket-current' | 'rsocket-next' | 'service-current' | 'service-older';

const jarOf = (name: Jar): string => join(import.meta.dirname, '..', name, 'target', `${name}.jar`);
const jars: readonly Jar[] = ['eureka-server', 'rsocket-current', 'rsocket-next', 'service-current', 'service-older'];

/** What is missing to run programs of the Spring camp; undefined where all is there. */
function missing(): string | undefined {
  if (spawnSync('java', ['-version']).status !== 0) return 'no java (apt-get install default-jdk-headless maven)';
  const unbuilt = jars.filter((name) => !existsSync(jarOf(name)));
  return unbuilt.length > 0 ? `no ${unbuilt.join(', ')} (mvn -q -B -f interop/java package)` : undefined;
}

const gap = missing();

/** Why the suite cannot run here; false where it can. Where gaps are not allowed (`CI=true`) it is never skipped. */
export const skip: string | false =
  gap === undefined || process.env['CI'] === 'true' ? false : `${gap}: programs of the Spring camp were NOT run`;

/** A quick start is worth more here than a fast program later. */
const machine = ['-XX:TieredStopAtLevel=1', '-XX:+UseSerialGC', '-Xshare:auto', '-Xmx256m'];

/** A Spring program that serves at a port. */
export interface SpringProgram extends Program {
  readonly port: number;
  /** `http://127.0.0.1:port` */
  readonly url: string;
}

/** A real Eureka server, standing alone unless told otherwise; its API is at `${url}/eureka`. */
export function startEurekaServer(args: readonly string[] = [], port = 0): Promise<SpringProgram> {
  return startSpring('eureka-server', 'eureka-server', [`--server.port=${port}`, ...args]);
}

/** What a Spring service is told. */
export interface SpringService {
  readonly of: 'current' | 'older';
  readonly name: string;
  /** Its `service-url.defaultZone`: one URL or several with commas. */
  readonly registry: string;
  /** Whom it calls by Feign. */
  readonly callee?: string;
  readonly args?: readonly string[];
}

/** An unchanged Spring service that sees changes within a second. */
export function startSpringService({ of, name, registry, callee, args = [] }: SpringService): Promise<SpringProgram> {
  return startSpring(`service-${of}`, name, [
    '--server.port=0',
    `--spring.application.name=${name}`,
    `--eureka.instance.instance-id=${name}:\${random.uuid}`, // the usual one has the port in it, which is 0 here
    `--eureka.client.service-url.defaultZone=${registry}`,
    '--eureka.client.registry-fetch-interval-seconds=1',
    '--eureka.instance.lease-renewal-interval-in-seconds=1',
    '--spring.cloud.loadbalancer.cache.ttl=200ms',
    ...(callee === undefined ? [] : [`--callee=${callee}`]),
    ...args,
  ]);
}

/** A Spring program of RSocket: `current` is Boot 3.5, `next` is Boot 4.0. */
export type Boot = 'current' | 'next';

/** An unchanged Spring server of RSocket, which serves {@link BooksController}. @param port 0: any */
export function startRSocketServer(boot: Boot, args: readonly string[] = [], port = 0): Promise<SpringProgram> {
  const told = [`--spring.rsocket.server.port=${port}`, ...args];
  return startSpring(`rsocket-${boot}`, `server-${boot}`, told, { listens: /Netty RSocket started on port (\d+)/ });
}

/** An unchanged Spring client of RSocket, which calls what it is told to. */
export async function startRSocketClient(boot: Boot): Promise<Program> {
  assert.equal(gap, undefined, 'CI=true allows no gaps');
  const jar = jarOf(`rsocket-${boot}`);
  const program = startProgram(`client-${boot}`, 'java', [...machine, '-jar', jar], { input: true });
  await program.said(/Started \w+ in \S+ seconds/);
  return program;
}

async function startSpring(
  jar: Jar,
  name: string,
  args: readonly string[],
  { listens = /Tomcat started on port(?:\(s\):)? (\d+)/ } = {},
): Promise<SpringProgram> {
  assert.equal(gap, undefined, 'CI=true allows no gaps');
  const program = startProgram(name, 'java', [...machine, '-jar', jarOf(jar), ...args]);
  try {
    const [, port] = await program.said(listens);
    await program.said(/Started \w+ in \S+ seconds/);
    return Object.assign(program, { port: Number(port), url: `http://127.0.0.1:${port}` });
  } catch (error) {
    await program.kill();
    throw error;
  }
}

/** A port that is free now: for programs that have to know each other's before they start. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, 'close');
  return port;
}
