import { Call, FlotillaError, systemClock, systemRandom } from '@flotilla/core';
import type { GenericClient, GenericOperation } from 'flotilla';
import { readElements, readInput } from './call-input.ts';
import type { Output } from './output.ts';

/** What `call` needs besides what is called. */
export interface CallParts {
  readonly client: Pick<GenericClient, 'operation'>;
  /** Elements to send, a JSON document on each line, for operations that take many. */
  readonly input: AsyncIterable<Uint8Array>;
  /** Aborted by Ctrl-C, or when nobody reads any more: cancels the call, which its handler sees. */
  readonly interrupted: AbortSignal;
}

/**
 * Calls an operation by hand: `call catalog.product --id rice-bowl`. What the fleet's registry knows of the contract says how,
 * so no contract file is needed. Elements of a stream are printed as they come, a JSON document on each line; those of an
 * upload are read so from the standard input, when no fields are given. Where an operation takes bytes or files,
 * `--body @cat.png` and `--files @cat.png` send those of a file.
 * @param service undefined: whichever serves the contract
 * @throws FlotillaError as the callee answered it; INVALID_INPUT naming the field; NO_ROUTE naming the nearest operation
 */
export async function call(
  { client, input, interrupted }: CallParts,
  { service, operation: name }: { readonly service?: string | undefined; readonly operation: string },
  args: readonly string[],
  output: Output,
): Promise<void> {
  const operation = await client.operation(service, name);
  const sent = await inputOf(operation, args, input);
  const made = new Call({ clock: systemClock, random: systemRandom });
  const interrupt = (): void => made.cancel(new FlotillaError('CANCELLED', `the call of ${name} was interrupted`));
  if (interrupted.aborted) interrupt();
  interrupted.addEventListener('abort', interrupt, { once: true });
  try {
    if (!operation.answersMany) return await printAnswer(operation, await operation.call(sent, made), output);
    for await (const element of operation.stream(sent, made)) output.print(JSON.stringify(element));
  } finally {
    interrupted.removeEventListener('abort', interrupt);
    made.end();
  }
}

/** Fields make one element, of an operation that takes many; without any, the standard input has them. */
async function inputOf(
  { sendsMany, description }: GenericOperation,
  args: readonly string[],
  input: AsyncIterable<Uint8Array>,
): Promise<unknown> {
  if (!sendsMany) return readInput(description, args);
  return args.length === 0 ? readElements(input) : [await readInput(description, args)];
}

async function printAnswer({ description }: GenericOperation, answer: unknown, output: Output): Promise<void> {
  const { status, answer: bytes } = description.http;
  if (bytes) return printBytes(answer, output);
  if (output.json) return output.print(JSON.stringify({ status, value: answer ?? null }, null, 2));
  const shown = typeof answer === 'string' ? answer : JSON.stringify(answer, null, 2);
  output.print(shown ?? `done (${status})`);
}

/** As text, as it comes: a terminal can show nothing else. */
async function printBytes(answer: unknown, output: Output): Promise<void> {
  const utf8 = new TextDecoder();
  if (answer instanceof Uint8Array) return output.print(utf8.decode(answer));
  const { content } = answer as { readonly content: AsyncIterable<Uint8Array> };
  let text = '';
  for await (const chunk of content) text += utf8.decode(chunk, { stream: true });
  output.print(text + utf8.decode());
}
