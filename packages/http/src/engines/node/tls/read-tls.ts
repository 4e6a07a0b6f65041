import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { FlotillaError } from '@flotilla/core';
import type { TlsOptions } from '../../../tls.ts';

/** What the files of a TLS configuration held when they were read. */
export interface TlsMaterial {
  readonly cert: Buffer | undefined;
  readonly key: Buffer | undefined;
  readonly ca: Buffer | undefined;
  readonly minVersion: 'TLSv1.2' | 'TLSv1.3';
  /** Wall time between which the process's own certificate counts; undefined without one. */
  readonly validFrom: number | undefined;
  readonly validTo: number | undefined;
}

const [begin, end] = ['-----BEGIN CERTIFICATE-----', '-----END CERTIFICATE-----'];
const largestBytes = 1_048_576;

/**
 * Reads and checks the files. A certificate that has expired or does not count yet is no mistake here: what to make of it
 * depends on what there was before.
 * @throws FlotillaError CONFIG_INVALID naming the setting, the file and what is wrong with it
 */
export async function readTls({ cert, key, ca, clientAuth, minVersion = 'TLSv1.2' }: TlsOptions): Promise<TlsMaterial> {
  if ((cert === undefined) !== (key === undefined))
    throw invalid(cert === undefined ? '"tls.key" needs "tls.cert"' : '"tls.cert" needs "tls.key"');
  if (clientAuth !== undefined && clientAuth !== 'none' && ca === undefined)
    throw invalid(`"tls.clientAuth" is ${clientAuth}, but no "tls.ca" says whose certificates count`);
  const [certBytes, keyBytes, caBytes] = [await read('cert', cert), await readKey(key), await read('ca', ca)];
  if (ca !== undefined && caBytes) checkAuthorities(ca, caBytes);
  const own = cert !== undefined && certBytes ? certificates('cert', cert, certBytes)[0] : undefined;
  if (own && key !== undefined && keyBytes && !own.checkPrivateKey(parseKey(key, keyBytes))) {
    throw invalid(`the key in "${key}" (tls.key) is not that of the certificate in "${cert}" (tls.cert)`);
  }
  return {
    cert: certBytes,
    key: keyBytes,
    ca: caBytes,
    minVersion,
    validFrom: own?.validFromDate.getTime(),
    validTo: own?.validToDate.getTime(),
  };
}

/** What tells one state of the files from another: cheap to look at again and again. */
export async function tlsFilesState({ cert, key, ca }: TlsOptions): Promise<string> {
  const states = [cert, key, ca].map(async (path) => {
    if (path === undefined) return '';
    const { mtimeMs, ino, size, mode } = await stat(path).catch(() => ({ mtimeMs: 0, ino: 0, size: -1, mode: 0 }));
    return `${mtimeMs} ${ino} ${size} ${mode}`;
  });
  return (await Promise.all(states)).join('\n');
}

async function read(setting: string, path: string | undefined): Promise<Buffer | undefined> {
  if (path === undefined) return undefined;
  try {
    const { size } = await stat(path);
    if (size > largestBytes)
      throw invalid(`"${path}" (tls.${setting}) has ${size} bytes; the limit is ${largestBytes}`);
    return await readFile(path);
  } catch (cause) {
    if (cause instanceof FlotillaError) throw cause;
    throw invalid(`cannot read "${path}" (tls.${setting}): ${codeOf(cause)}`, cause);
  }
}

async function readKey(path: string | undefined): Promise<Buffer | undefined> {
  const bytes = await read('key', path);
  if (path === undefined || !bytes) return undefined;
  const { mode } = await stat(path);
  // A group may read it: that is how a secret is mounted into a container that does not run as its owner.
  if ((mode & 0o027) !== 0) {
    const shown = (mode & 0o777).toString(8).padStart(4, '0');
    throw invalid(
      `"${path}" (tls.key) may be read by others or written by its group (mode ${shown}): chmod 600 "${path}"`,
    );
  }
  return bytes;
}

function parseKey(path: string, bytes: Buffer): KeyObject {
  if (/^-----BEGIN ENCRYPTED PRIVATE KEY-----|^Proc-Type: 4,ENCRYPTED/m.test(bytes.toString('latin1'))) {
    throw invalid(`the key in "${path}" (tls.key) is encrypted: decrypt it, as by "openssl pkey -in … -out …"`);
  }
  try {
    return createPrivateKey(bytes);
  } catch (cause) {
    throw invalid(`"${path}" (tls.key) holds no private key in PEM form`, cause);
  }
}

function checkAuthorities(path: string, bytes: Buffer): void {
  const authorities = certificates('ca', path, bytes);
  const other = authorities.find(({ ca }) => !ca);
  if (other && authorities.length === 1)
    throw invalid(`the certificate in "${path}" (tls.ca) is not that of an authority: ${subject(other)}`);
}

/** All certificates of a file, in their order; at least one. */
function certificates(setting: string, path: string, bytes: Buffer): X509Certificate[] {
  const blocks = bytes
    .toString('latin1')
    .split(begin)
    .slice(1)
    .map((rest) => `${begin}${rest.split(end, 1)[0]}${end}\n`);
  if (blocks.length === 0) throw invalid(`"${path}" (tls.${setting}) holds no certificate in PEM form`);
  return blocks.map((block, index) => {
    try {
      return new X509Certificate(block);
    } catch (cause) {
      throw invalid(`certificate ${index + 1} in "${path}" (tls.${setting}) cannot be read`, cause);
    }
  });
}

function subject({ subject: text }: X509Certificate): string {
  return text.replaceAll('\n', ', ').slice(0, 200);
}

function codeOf(cause: unknown): string {
  const code = cause instanceof Error && 'code' in cause ? cause.code : undefined;
  return code === 'ENOENT' ? 'there is no such file' : String(code ?? cause);
}

function invalid(detail: string, cause?: unknown): FlotillaError {
  return new FlotillaError('CONFIG_INVALID', `TLS cannot be set up: ${detail}`, { cause });
}
