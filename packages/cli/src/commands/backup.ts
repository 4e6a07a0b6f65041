import { backUpState, restoreState } from '@flotilla/registry/server';
import { type Output, show } from './output.ts';

/** Writes the state of a registry of this machine, which may run, into one file. */
export async function backup(path: string, file: string, output: Output): Promise<void> {
  const facts = await backUpState({ path, backup: file });
  show(output, { backup: file, ...facts }, () => `"${file}" (${facts.bytes} bytes) holds ${said(facts)} of "${path}"`);
}

/** Puts a backup where a registry that is stopped finds its state. */
export async function restore(path: string, file: string, output: Output): Promise<void> {
  const facts = await restoreState({ path, backup: file });
  show(
    output,
    { restored: path, ...facts },
    () => `"${path}" holds ${said(facts)} of "${file}"; what was there is beside it, as "${path}.before-restore"`,
  );
}

function said({ instances }: { readonly instances: number }): string {
  return instances === 1 ? 'the one instance' : `the ${instances} instances`;
}
