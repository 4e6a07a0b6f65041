import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';

const ip = '/usr/sbin/ip';

/**
 * Two network namespaces that this machine reaches, and that reach each other through it, until the way between them is
 * cut: whoever is on this machine goes on speaking to both.
 */
export class Partition {
  readonly hosts: readonly string[];
  readonly #names: readonly string[];
  readonly #net: number;
  readonly #forwarding: string;

  constructor() {
    this.#net = 64 + (process.pid % 60);
    this.#names = [0, 1].map((n) => `chaos${process.pid}-${n}`);
    this.hosts = [0, 1].map((n) => `10.213.${this.#net + n}.2`);
    this.#forwarding = execFileSync('sysctl', ['-n', 'net.ipv4.ip_forward'], { encoding: 'utf8' }).trim();
    execFileSync('sysctl', ['-qw', 'net.ipv4.ip_forward=1']);
    for (const [n, name] of this.#names.entries()) {
      const outside = `ch${process.pid % 10_000}o${n}`;
      const inside = `ch${process.pid % 10_000}i${n}`;
      run('netns', 'add', name);
      run('link', 'add', outside, 'type', 'veth', 'peer', 'name', inside, 'netns', name);
      run('addr', 'add', `10.213.${this.#net + n}.1/24`, 'dev', outside);
      run('link', 'set', outside, 'up');
      run('-n', name, 'addr', 'add', `${this.hosts[n]}/24`, 'dev', inside);
      run('-n', name, 'link', 'set', inside, 'up');
      run('-n', name, 'link', 'set', 'lo', 'up');
      run('-n', name, 'route', 'add', 'default', 'via', `10.213.${this.#net + n}.1`);
    }
  }

  static lacks(): string | undefined {
    if (process.getuid?.() !== 0) return 'root on Linux, to make network namespaces';
    return existsSync(ip) ? undefined : 'ip (Debian: iproute2)';
  }

  /** What stands before a command that is to run behind host `n`. */
  within(n: number): string[] {
    return [ip, 'netns', 'exec', this.#names[n] ?? ''];
  }

  cut(): void {
    for (const [n, name] of this.#names.entries())
      run('-n', name, 'route', 'add', 'blackhole', `10.213.${this.#net + 1 - n}.0/24`);
  }

  heal(): void {
    for (const [n, name] of this.#names.entries())
      run('-n', name, 'route', 'del', 'blackhole', `10.213.${this.#net + 1 - n}.0/24`);
  }

  /** Takes everything away that was made. */
  end(): void {
    for (const name of this.#names) run('netns', 'del', name);
    execFileSync('sysctl', ['-qw', `net.ipv4.ip_forward=${this.#forwarding}`]);
  }
}

function run(...args: readonly string[]): void {
  execFileSync(ip, args);
}
