import { readTemplate } from './engines/template-files.ts';
import type { NewFile } from './new-file.ts';
import { renamed } from './rename.ts';

export { writeNewFiles } from './engines/write-files.ts';
export { serviceNameProblem } from './names.ts';
export type { NewFile } from './new-file.ts';

/** What a new fleet starts with: a backend and an edge service, or a backend alone. */
export type Start = 'edge' | 'backend';

/** A backend service with its contract and its test. */
export function serviceFiles(name: string): NewFile[] {
  return ['contracts/notes.ts', 'services/notes.ts', 'services/notes.test.ts'].map((path) =>
    fileNamed(`fleet/${path}`, path, 'notes', name),
  );
}

/** An edge service with its contract and its test. */
export function edgeFiles(name: string): NewFile[] {
  return ['contracts/sample.ts', 'edge/sample.ts', 'edge/sample.test.ts'].map((path) =>
    fileNamed(`edge/${path}`, path, 'sample', name),
  );
}

/** A whole fleet, without its `package.json`. */
export function fleetFiles(name: string, start: Start): NewFile[] {
  const config = start === 'edge' ? 'fleet' : 'backend-only';
  const edge = ['contracts/web.ts', 'edge/web.ts', 'edge/web.test.ts'];
  return [
    ...['flotilla.yaml', 'gateway.yaml'].map((path) => ({ path, text: readTemplate(`${config}/${path}`) })),
    ...serviceFiles('notes'),
    ...(start === 'edge' ? edge.map((path) => ({ path, text: readTemplate(`fleet/${path}`) })) : []),
    { path: 'tsconfig.json', text: readTemplate('fleet/tsconfig.json') },
    { path: 'README.md', text: readTemplate('fleet/README.md') },
    { path: '.gitignore', text: readTemplate('fleet/_gitignore') }, // npm would not pack it under its own name
  ].map(({ path, text }) => ({ path, text: text.replaceAll('my-fleet', name) }));
}

function fileNamed(template: string, path: string, from: string, name: string): NewFile {
  return { path: path.replace(from, name), text: renamed(readTemplate(template), from, name) };
}
