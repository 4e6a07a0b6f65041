import { cpuMsOf, warmUp } from '../harness/cpu.ts';
import { startJavaProgram } from '../harness/java.ts';
import { cores, freePort, type Program, startProgram } from '../harness/processes.ts';

export type Counts = Readonly<Record<string, number>>;

/** What differs from 64 calls at a time to one instance, with answers of 150 bytes. */
export interface PairSettings {
  /** Calls at a time. */
  readonly outstanding: number;
  /** Calls that the client has to be able to have in hand, where those are more. */
  readonly atMost?: number;
  readonly answerBytes?: number;
  readonly instances?: number;
  /** The bench of another checkout. */
  readonly folder?: string | undefined;
}

/** A client and a server of one subject, each a process on a core of its own. */
export interface CallPair {
  readonly client: Program;
  readonly server: Program;
  stop(): Promise<void>;
}

/** Starts the server, then the client, and lets them work until one of them has used `warmMs` of CPU time. */
export async function startPair(id: string, settings: PairSettings, warmMs: number): Promise<CallPair> {
  const server = await startCallServer(id, settings);
  let client: Program | undefined;
  const stop = async (): Promise<void> => {
    await client?.stop();
    await server.stop();
  };
  try {
    client = await startCallClient(id, server, settings);
    const warming = client;
    await warmUp([client.pid, server.pid], warmMs, async () => {
      await warming.ask({ ask: 'run', ms: warmMs / 2 });
    });
    return { client, server, stop };
  } catch (thrown) {
    await stop();
    throw thrown;
  }
}

/** Calls without pause, and what both sides used. @param ask `run`, or `latencies` */
export async function runPair({ client, server }: CallPair, ms: number, ask = 'run'): Promise<Counts> {
  const before = cpuMsOf(server.pid);
  const ran = (await client.ask({ ask, ms })) as Counts;
  return { ...ran, serverMs: cpuMsOf(server.pid) - before };
}

async function startCallServer(id: string, settings: PairSettings): Promise<Program> {
  if (id === 'dubbo') return startJavaProgram('Server', [String(await freePort())], cores.measured);
  const args = [id, String(settings.answerBytes ?? 0), String(settings.instances ?? 1)];
  return startProgram('calls/server.ts', args, cores.measured, settings.folder);
}

function startCallClient(id: string, { ready }: Program, settings: PairSettings): Promise<Program> {
  const ports = ready['ports'] ?? [ready['port']];
  const args = [String(ports), String(settings.outstanding)];
  if (id === 'dubbo') return startJavaProgram('Client', args, cores.others);
  const { answerBytes = 0, atMost = settings.outstanding } = settings;
  return startProgram(
    'calls/client.ts',
    [id, ...args, String(answerBytes), String(atMost)],
    cores.others,
    settings.folder,
  );
}
