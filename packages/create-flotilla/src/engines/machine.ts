import type { Machine } from '../node-advice.ts';

/** This machine. */
export function thisMachine(): Machine {
  const { versions, platform, arch } = process;
  return { node: versions.node, platform, arch, glibc: hasGlibc() };
}

/** Only a process on glibc reports which one. */
function hasGlibc(): boolean {
  const report = process.report?.getReport() as { header?: { glibcVersionRuntime?: string } } | undefined;
  return report?.header?.glibcVersionRuntime !== undefined;
}
