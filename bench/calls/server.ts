/** Serves one subject of the rows of calls: `server.ts <subject> [bytes of an answer] [instances]`. */
import { memoryInUse } from '../harness/memory.ts';
import { serveHarness } from '../harness/program.ts';
import { setAnswerBytes } from './subject.ts';
import { loadSubject } from './subjects.ts';

const [subjectId = '', answerBytes = '0', instances = '1'] = process.argv.slice(2);
if (Number(answerBytes) > 0) setAnswerBytes(Number(answerBytes));
const subject = await loadSubject(subjectId);
const servers = await Promise.all(Array.from({ length: Number(instances) }, () => subject.serve()));
const [first] = servers;
serveHarness(
  { port: first?.port, ports: servers.map(({ port }) => port) },
  {
    count: async () => ({
      handled: servers.reduce((sum, server) => sum + server.handled(), 0),
      ...(await first?.counters?.()),
    }),
    memory: () => ({ bytes: memoryInUse() }),
  },
);
