import type { Writable } from 'node:stream';

/**
 * Where a process writes its lines: to `output` for as long as somebody reads them there. When the reader is gone (EPIPE),
 * the process goes on without: a log must not end the work. The stream emits an error for each line that it cannot write,
 * and one that nobody handles is logged as a crash, which is a line again, without end.
 */
export function logOutput(output: Writable): (line: string) => void {
  let gone = false;
  output.on('error', () => {
    gone = true;
  });
  return (line) => {
    if (!gone) output.write(`${line}\n`);
  };
}
