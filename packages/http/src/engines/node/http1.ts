import { AnswerHeads } from './answer-head.ts';
import { Http1Connection } from './http1-connection.ts';
import type { Http1Options, Http1Shared } from './http1-options.ts';
import type { Tongue } from './tongue.ts';

/** How a connection to HTTP/2 begins (RFC 9113 §3.4): its first bytes alone would pass for a method. */
const http2Preface = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');

/** HTTP/1.1 (RFC 9112): requests are read by a parser of our own, strict where two servers might differ. */
export function http1Tongue(options: Http1Options): Tongue {
  const shared: Http1Shared = { ...options, heads: new AnswerHeads(options.clock) };
  return { name: 'http/1.1', detect, accept: (socket, openedAt) => new Http1Connection(socket, openedAt, shared) };
}

/** A method begins with a letter; empty lines before it are forgiven (RFC 9112 §2.2). */
function detect(bytes: Uint8Array): 'yes' | 'no' | 'more' {
  const [first = 0] = bytes;
  if (first === 0x0d || first === 0x0a) return 'yes';
  if (!/[A-Za-z]/.test(String.fromCharCode(first))) return 'no';
  const length = Math.min(bytes.length, http2Preface.length);
  if (!http2Preface.subarray(0, length).equals(bytes.subarray(0, length))) return 'yes';
  return length < http2Preface.length ? 'more' : 'no';
}
