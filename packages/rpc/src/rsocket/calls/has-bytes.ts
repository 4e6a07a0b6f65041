import type { CalledOperation } from '../../client/operation-request.ts';

/** Are its input or its output bytes, which are no JSON? */
export function hasBytes({ mapping: { answer, body } }: Pick<CalledOperation, 'mapping'>): boolean {
  return answer !== undefined || (body !== undefined && 'field' in body);
}
