/** Serves one subject of the row `calls`. */
import { serveHarness } from '../harness/program.ts';
import { loadSubject } from './subjects.ts';

const [subjectId = ''] = process.argv.slice(2);
const subject = await loadSubject(subjectId);
const server = await subject.serve();
serveHarness(
  { port: server.port },
  { count: async () => ({ handled: server.handled(), ...(await server.counters?.()) }) },
);
