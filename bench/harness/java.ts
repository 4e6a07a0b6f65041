import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface, type Interface } from 'node:readline';
import { benchFolder, type Program } from './processes.ts';

const folder = join(benchFolder, 'java');
const jar = join(folder, 'target/bench-dubbo.jar');

/** Longer than a JVM needs to start on a machine that is busy with something else. */
const silenceMs = 120_000;

/** The version of Apache Dubbo that the project in `java/` names. */
export function dubboVersion(): string {
  const [, version] =
    /<dubbo\.version>(.+)<\/dubbo\.version>/.exec(readFileSync(join(folder, 'pom.xml'), 'utf8')) ?? [];
  return version ?? 'of an unknown version';
}

/**
 * Builds the Java programs if they are not. False, and said, where that cannot be: a table without the peer is no
 * comparison. @throws Error in CI
 */
export function hasJavaPrograms(say: (line: string) => void): boolean {
  if (isBuilt()) return true;
  say('building the Java programs of the bench: mvn -q -B -f bench/java package');
  const { status, error } = spawnSync('mvn', ['-q', '-B', '-f', folder, 'package'], { stdio: ['ignore', 2, 2] });
  if (status === 0) return true;
  const why = error ? `mvn cannot be started (${error.message})` : `mvn ended with ${status}`;
  const what = `Java Dubbo is NOT measured: ${why}; it takes a JDK 17 and Maven: apt-get install default-jdk-headless maven`;
  if (process.env['CI']) throw new Error(what);
  say(`!!! ${what}`);
  return false;
}

function isBuilt(): boolean {
  if (!existsSync(jar) || !existsSync(join(folder, 'target/lib'))) return false;
  return statSync(jar).mtimeMs >= statSync(join(folder, 'pom.xml')).mtimeMs;
}

/**
 * Starts a Java program on one core. It speaks in lines: JSON when it is ready, and for each line that asks something.
 * It is stopped by its process id when it does not end by itself.
 */
export async function startJavaProgram(name: string, args: readonly string[], core: number): Promise<Program> {
  const classPath = `${jar}:${join(folder, 'target/lib')}/*`;
  const java = ['java', '-Xmx1g', '-cp', classPath, `org.flotilla.bench.${name}`, ...args];
  const child = spawn('taskset', ['-c', String(core), ...java], { stdio: ['pipe', 'pipe', 'ignore'] });
  const lines = createInterface({ input: child.stdout });
  const ready = await nextLine(lines, child, name);
  return {
    pid: child.pid as number,
    ready,
    ask({ ask, ms }) {
      const answer = nextLine(lines, child, name);
      child.stdin.write(`${String(ask)} ${Math.round(Number(ms ?? 0))}\n`);
      return answer;
    },
    async stop() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const ended = new Promise((resolve) => child.once('exit', resolve));
      child.stdin.end('stop\n');
      const late = setTimeout(() => child.kill('SIGKILL'), 10_000);
      await ended;
      clearTimeout(late);
    },
  };
}

function nextLine(lines: Interface, child: ChildProcess, name: string): Promise<Record<string, unknown>> {
  return new Promise((resolve, reject) => {
    const done = (): void => {
      clearTimeout(late);
      lines.off('line', take);
      child.off('exit', ended);
    };
    const late = setTimeout(() => {
      done();
      reject(new Error(`the Java program ${name} is silent for ${silenceMs} ms`));
    }, silenceMs);
    const ended = (code: number | null): void => {
      done();
      reject(new Error(`the Java program ${name} ended with ${code}`));
    };
    const take = (line: string): void => {
      if (!line.startsWith('{')) return; // a library greets
      done();
      resolve(JSON.parse(line) as Record<string, unknown>);
    };
    lines.on('line', take);
    child.once('exit', ended);
  });
}
