import type { X509Certificate } from 'node:crypto';
import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import type { Peer, PeerCertificate } from '../../../exchange.ts';
import { plainAddress } from '../plain-address.ts';

/** Who is at the other end of a connection. */
export function peerOf(socket: Socket): Peer {
  const place = { address: plainAddress(socket.remoteAddress), port: socket.remotePort ?? 0 };
  if (!(socket instanceof TLSSocket)) return { ...place, encrypted: false };
  // `authorized` is true only of one that was asked for and verified.
  const certificate = socket.authorized ? socket.getPeerX509Certificate() : undefined;
  return { ...place, encrypted: true, ...(certificate && { certificate: certificateOf(certificate) }) };
}

function certificateOf({ subject, subjectAltName, fingerprint256 }: X509Certificate): PeerCertificate {
  return { names: [...commonNames(subject), ...alternativeNames(subjectAltName)], fingerprint: fingerprint256 };
}

/** A line per attribute. One with an escape, or of several in one line, is no name that anybody would configure. */
function commonNames(subject: string): string[] {
  return subject.split('\n').filter((line) => /^CN=[^\\+"]+$/.test(line));
}

/** `DNS:a, URI:b`. What holds a comma or a quote is quoted by Node as JSON, and left out: it could pass for two names. */
function alternativeNames(text: string | undefined): string[] {
  if (text === undefined || text.includes('"')) return [];
  return text.split(', ').filter((name) => /^(?:DNS|URI):[^\s]+$/.test(name));
}
