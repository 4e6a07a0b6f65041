/** The oldest Node that we run on; older ones hide header fields behind a flood of them (CVE-2026-58044). */
export const minimumNodeVersion = '24.18.1';

/** Undefined when `version` ("24.21.0") is new enough, else a sentence that says what to do. */
export function nodeVersionProblem(version: string): string | undefined {
  const [have = [], need = []] = [version, minimumNodeVersion].map((text) => text.split('.').map(Number));
  for (let part = 0; part < 3; part++) {
    const difference = (have[part] ?? 0) - (need[part] ?? 0);
    if (difference > 0) return undefined;
    if (difference < 0) {
      return `Flotilla needs Node.js ${minimumNodeVersion} or newer; this is ${version}. Install a newer one from your package manager.`;
    }
  }
  return undefined;
}
