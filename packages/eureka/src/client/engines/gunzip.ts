import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';

const inflate = promisify(gunzip);

/** The bytes behind a gzip body. Rejects for what is none, and at the first byte over `maxBytes`: a bomb costs no more. */
export async function gunzipped(body: Uint8Array, maxBytes: number): Promise<Uint8Array> {
  return inflate(body, { maxOutputLength: maxBytes });
}
