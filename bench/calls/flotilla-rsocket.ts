/** The typed call of `flotilla.ts`, the whole stack, over RSocket. */
import { subjectOver } from './flotilla.ts';
import type { CallSubject } from './subject.ts';

export const subject: CallSubject = subjectOver('rsocket');
