import { styleText } from 'node:util';

type Colour = Parameters<typeof styleText>[0];

const nameColours: readonly Colour[] = ['cyan', 'magenta', 'yellow', 'green', 'blue', 'redBright', 'cyanBright'];
const levelWords = new Map<unknown, readonly [word: string, colour: Colour]>([
  [20, ['debug', 'gray']],
  [30, ['info ', 'green']],
  [40, ['warn ', 'yellow']],
  [50, ['error', 'red']],
]);
/** Shown in their own places, or known from the name of the process. */
const ownPlaces: ReadonlySet<string> = new Set(['level', 'time', 'msg', 'service', 'pid', 'hostname', 'err']);

/** Paints, or leaves the text as it is. */
export type Paint = (colour: Colour, text: string) => string;

/** With colours; it is for whoever knows that a terminal reads. */
export const paintColours: Paint = (colour, text) => styleText(colour, text, { validateStream: false });
export const paintNothing: Paint = (_, text) => text;

/**
 * One line of a process, for a person: time, process, level, message, fields. A line that is not one of our JSON
 * records (a stack trace, something that a program printed) is shown as it is.
 * @param column width of the longest title.
 */
export function formatLogLine(text: string, title: string, column: number, order: number, paint: Paint): string {
  const name = paint(nameColours[order % nameColours.length] ?? 'white', title.padEnd(column));
  const record = parseRecord(text);
  if (!record) return `${' '.repeat(12)} ${name} ${text}`;
  const [word, colour] = levelWords.get(record['level']) ?? ['info ', 'green'];
  const time =
    typeof record['time'] === 'number' ? new Date(record['time']).toISOString().slice(11, 23) : ' '.repeat(12);
  const fields = Object.entries(record)
    .filter(([key]) => !ownPlaces.has(key))
    // A field that is named like one of the record's own was told apart by a `_`; here the own ones are not shown.
    .map(([key, value]) => [ownPlaces.has(key.slice(0, -1)) ? key.slice(0, -1) : key, value] as const)
    .map(([key, value]) => `${paint('gray', `${key}=`)}${typeof value === 'string' ? value : JSON.stringify(value)}`);
  return [
    paint('gray', time),
    name,
    paint(colour, word),
    String(record['msg'] ?? ''),
    ...fields,
    ...errorOf(record),
  ].join(' ');
}

function parseRecord(text: string): Readonly<Record<string, unknown>> | undefined {
  if (!text.startsWith('{')) return undefined;
  try {
    const record: unknown = JSON.parse(text);
    return typeof record === 'object' && record !== null ? (record as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

function errorOf(record: Readonly<Record<string, unknown>>): string[] {
  const { err, level } = record as { err?: { stack?: unknown; message?: unknown }; level?: unknown };
  if (!err) return [];
  // A stack is for whoever mends the program; below an error the reason is enough.
  return level === 50 ? [`\n${String(err.stack ?? err.message ?? '')}`] : [`(${String(err.message ?? '')})`];
}
