import { type ErrorCode, FlotillaError } from '@flotilla/core';

/** How far a request had come when it failed. Only before `sent` is it certain that nobody worked on it. */
export type Progress = 'unsent' | 'sent' | 'answering';

/** Codes of undici and its parser for bytes that are no acceptable answer. */
const badResponse: ReadonlySet<string> = new Set(['UND_ERR_HEADERS_OVERFLOW', 'UND_ERR_RES_EXCEEDED_MAX_SIZE']);

/** Where the code alone says too little. */
const reasons: ReadonlyMap<string, (thrown: Error) => string> = new Map([
  ['AggregateError', () => 'no address answered'],
  ['HTTPParserError', (thrown: Error) => thrown.message],
]);

/** undici says these with the code that it has for a lost connection. */
const badResponseWords = /^bad (?:response|upgrade)$/;

/** Translates what undici, its parser or the system says. */
export function clientError(thrown: Error, progress: Progress, target: string): FlotillaError {
  if (thrown instanceof FlotillaError) return thrown;
  const code = (thrown as NodeJS.ErrnoException).code ?? thrown.name;
  const reason = reasons.get(code)?.(thrown) ?? code;
  if (code === 'UND_ERR_REQ_CONTENT_LENGTH_MISMATCH') {
    return error('INTERNAL', 'the body of a request does not have its declared length', thrown);
  }
  if (code === 'UND_ERR_INVALID_ARG') return error('INTERNAL', `a request cannot be sent: ${thrown.message}`, thrown);
  if (progress === 'unsent') return error('CONNECT_FAILED', `no connection to ${target}: ${reason}`, thrown);
  if (isBadResponse(thrown, code, progress)) {
    return error('BAD_RESPONSE', `${target} answered what is not HTTP/1.1: ${reason}`, thrown);
  }
  const where = progress === 'sent' ? 'before its answer' : 'before its answer was whole';
  return error('CONNECTION_LOST', `the connection to ${target} broke ${where}: ${reason}`, thrown);
}

/** The end of input inside a message is a lost connection, whoever noticed it: the parser, or who counts its bytes. */
function isBadResponse(thrown: Error, code: string, progress: Progress): boolean {
  if (thrown.name === 'HTTPParserError') return !thrown.message.includes('Invalid EOF state');
  if (code === 'UND_ERR_RES_CONTENT_LENGTH_MISMATCH') return progress === 'sent';
  return badResponse.has(code) || badResponseWords.test(thrown.message);
}

function error(code: ErrorCode, detail: string, cause: Error): FlotillaError {
  return new FlotillaError(code, detail, { cause });
}
