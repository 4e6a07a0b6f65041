/** What a fleet runs on. `node-linux-…` of its `package.json` brings one on Linux with glibc. */
const needed: readonly [number, number, number] = [24, 18, 1];

/** What is known of this machine. */
export interface Machine {
  /** `process.versions.node` */
  readonly node: string;
  readonly platform: string;
  readonly arch: string;
  readonly glibc: boolean;
}

/** What to do about an old Node; undefined: nothing, this one will do. */
export function nodeAdvice({ node, platform, arch, glibc }: Machine): string | undefined {
  if (isEnough(node)) return undefined;
  const brought = platform === 'linux' && glibc && (arch === 'x64' || arch === 'arm64');
  if (brought) return `This machine has Node.js ${node}; "npm install" brings the newer one that the fleet runs on.`;
  return `The fleet needs Node.js ${needed.join('.')} or newer; this machine has ${node}. Install a newer one first.`;
}

function isEnough(node: string): boolean {
  const parts = node.split('.').map((part) => Number.parseInt(part, 10));
  for (const [index, least] of needed.entries()) {
    const part = parts[index] ?? 0;
    if (part !== least) return part > least;
  }
  return true;
}
