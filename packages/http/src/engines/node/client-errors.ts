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

/** What of a certificate was not believed (OpenSSL's X509_V_ERR names, as Node has them). */
const certificateReasons: ReadonlyMap<string, string> = new Map([
  ['CERT_HAS_EXPIRED', 'its certificate has expired'],
  ['CERT_NOT_YET_VALID', 'its certificate does not count yet'],
  ['DEPTH_ZERO_SELF_SIGNED_CERT', 'its certificate is signed by itself: name it or its authority in "tls.ca"'],
  ['SELF_SIGNED_CERT_IN_CHAIN', 'its certificate is of an authority that "tls.ca" does not name'],
  ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', 'its certificate is of an authority that "tls.ca" does not name'],
  ['UNABLE_TO_GET_ISSUER_CERT_LOCALLY', 'its certificate is of an authority that "tls.ca" does not name'],
  ['ERR_TLS_CERT_ALTNAME_INVALID', 'its certificate is for other names than this one'],
  ['ERR_SSL_WRONG_VERSION_NUMBER', 'it speaks no TLS: is it http:// instead of https://?'],
  ['ERR_SSL_PACKET_LENGTH_TOO_LONG', 'it speaks no TLS: is it http:// instead of https://?'],
]);

/** An alert of the peer that ended the handshake: nobody looked at what was sent behind it. */
const refusedByPeer =
  /^ERR_SSL_(?:TLSV1|TLSV13|SSLV3)_ALERT_(?:CERTIFICATE|BAD_CERTIFICATE|UNKNOWN_CA|HANDSHAKE|PROTOCOL|NO_CERT|UNSUPPORTED)/;

function tlsReason(code: string): string | undefined {
  const reason = certificateReasons.get(code);
  if (reason !== undefined || !refusedByPeer.test(code)) return reason;
  return code.endsWith('CERTIFICATE_REQUIRED')
    ? 'it wants a client certificate: set "tls.cert" and "tls.key"'
    : `it refused our certificate or protocol (${code.toLowerCase().replaceAll('_', ' ')})`;
}

/** undici says these with the code that it has for a lost connection. */
const badResponseWords = /^bad (?:response|upgrade)$/;

/** Translates what undici, its parser or the system says. */
export function clientError(thrown: Error, progress: Progress, target: string): FlotillaError {
  if (thrown instanceof FlotillaError) return thrown;
  const code = (thrown as NodeJS.ErrnoException).code ?? thrown.name;
  const reason = reasons.get(code)?.(thrown) ?? code;
  const handshake = progress === 'answering' ? undefined : tlsReason(code);
  if (handshake !== undefined) return error('CONNECT_FAILED', `no connection to ${target}: ${handshake}`, thrown);
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
