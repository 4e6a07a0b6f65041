import { type Call, FlotillaError, type Instance } from '@flotilla/core';
import { type HttpRequest, parseJson, readBody } from '@flotilla/http';
import { decodeInstance } from '../instance.ts';
import { instanceMembers } from '../xml/instance-document.ts';
import { readXml } from '../xml/read-xml.ts';
import type { DocumentType } from './negotiation.ts';

/** A registration with everything at its bounds is a third of this. */
export const maxBodyBytes = 1_048_576;

/**
 * The instance that the body of a registration describes. JSON and XML differ only in how they are read: what they say
 * goes through the same checks and bounds.
 * @param app of the request's path.
 * @throws FlotillaError BODY_TOO_LARGE; MALFORMED_REQUEST and INVALID_INPUT as in `decodeInstance`
 */
export async function readInstance(
  { body }: HttpRequest,
  type: DocumentType,
  app: string,
  call: Call,
): Promise<Instance> {
  const bytes = await readBody(body, maxBodyBytes, call);
  const members = type === 'application/json' ? jsonMembers(bytes) : instanceMembers(readXml(bytes));
  return decodeInstance(members, Math.floor(call.clock.wallNow()), app);
}

/** The object inside `{"instance": …}`, which is the document's only member. A byte order mark is passed over. */
function jsonMembers(bytes: Uint8Array): unknown {
  const hasMark = bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf;
  const root = parseJson(hasMark ? bytes.subarray(3) : bytes);
  const names = typeof root === 'object' && root !== null ? Object.keys(root) : [];
  if (names.length === 1 && names[0] === 'instance') return (root as { instance: unknown }).instance;
  throw new FlotillaError('MALFORMED_REQUEST', 'the document has to be {"instance": …}');
}
