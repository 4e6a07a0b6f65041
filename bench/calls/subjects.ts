import type { CallSubject } from './subject.ts';

/** Where each subject of the row `calls` lies. Those of others are loaded only when they are measured. */
const files: Readonly<Record<string, string>> = {
  reference: './reference.ts',
  flotilla: './flotilla.ts',
  rsocket: './rsocket.ts',
  'flotilla-rsocket': './flotilla-rsocket.ts',
  'flotilla-apart': './flotilla-apart.ts',
  moleculer: '../peers/moleculer.ts',
  nest: '../peers/nest.ts',
  undici: '../peers/undici.ts',
  grpc: '../peers/grpc.ts',
  connect: '../peers/connect.ts',
  trpc: '../peers/trpc.ts',
};

export async function loadSubject(id: string): Promise<CallSubject> {
  const { subject } = (await import(files[id] ?? '')) as { readonly subject: CallSubject };
  return subject;
}
