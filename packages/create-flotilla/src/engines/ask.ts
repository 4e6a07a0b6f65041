import { createInterface } from 'node:readline';

/** A question with its default. */
export interface Question {
  readonly text: string;
  readonly fallback: string;
  /** Why an answer does not fit; undefined: it does. */
  readonly problem: (answer: string) => string | undefined;
}

/** Somebody who answers. */
export interface Asker {
  /** Asks until an answer fits. @throws Cancelled at Ctrl-C and at the end of the input. */
  ask(question: Question): Promise<string>;
  close(): void;
}

/** Nobody wants to answer any more. */
export class Cancelled extends Error {}

/** Asks in the terminal, one line each. Lines that come before their question (a paste) wait for it. */
export function terminalAsker(
  input: NodeJS.ReadableStream = process.stdin,
  output: NodeJS.WritableStream = process.stdout,
): Asker {
  const reader = createInterface({ input, output });
  const lines = reader[Symbol.asyncIterator]();
  return {
    async ask({ text, fallback, problem }) {
      for (;;) {
        output.write(`${text} (${fallback}) `);
        const { done, value } = await lines.next();
        if (done) throw new Cancelled('\nnothing was written');
        const answer = value.trim() || fallback;
        const why = problem(answer);
        if (why === undefined) return answer;
        output.write(`  ${why}\n`);
      }
    },
    close: () => reader.close(), // Ctrl-C closes it too: the lines then are at their end
  };
}
