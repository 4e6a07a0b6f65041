/** The typed call of `flotilla-rsocket.ts`, each of the ten instances with a connection of its own. */
import { subjectOver } from './flotilla.ts';
import type { CallSubject } from './subject.ts';

export const subject: CallSubject = subjectOver('rsocket', true);
