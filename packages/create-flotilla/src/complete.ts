import { basename, resolve } from 'node:path';
import type { Asker, Question } from './engines/ask.ts';
import { fleetNameProblem } from './names.ts';
import { type Given, isStart } from './options.ts';
import type { Start } from './templates.ts';

/** Both answers. */
export interface Complete {
  readonly folder: string;
  readonly start: Start;
}

const defaultFolder = 'my-fleet';

const whereTo: Question = {
  text: 'Folder of the fleet, which is its name too?',
  fallback: defaultFolder,
  problem: (answer) => fleetNameProblem(basename(resolve(answer))),
};

const startWith: Question = {
  text: 'Start with a backend and an edge service (edge), or with a backend alone (backend)?',
  fallback: 'edge',
  problem: (answer) => (isStart(answer) ? undefined : `that is neither edge nor backend: "${answer.slice(0, 40)}"`),
};

/**
 * What the command line leaves open is asked, where somebody can answer.
 * @param asker undefined: nobody can.
 * @throws Error when nobody can and no folder is named; Cancelled.
 */
export async function complete(
  { folder, start, yes }: Pick<Given, 'folder' | 'start' | 'yes'>,
  asker: (() => Asker) | undefined,
): Promise<Complete> {
  if (yes || (folder !== undefined && start !== undefined)) {
    return { folder: folder ?? defaultFolder, start: start ?? 'edge' };
  }
  if (asker) return askFor(folder, start, asker());
  if (folder === undefined) {
    throw new Error('nobody can answer here: name a folder, as in "npm create flotilla my-fleet -- --yes"');
  }
  return { folder, start: start ?? 'edge' };
}

async function askFor(folder: string | undefined, start: Start | undefined, asker: Asker): Promise<Complete> {
  try {
    return { folder: folder ?? (await asker.ask(whereTo)), start: start ?? ((await asker.ask(startWith)) as Start) };
  } finally {
    asker.close();
  }
}
