/** Somebody who registers anew, reads the list and the delta as clients do, and opens the status page: on the core of the load. */
import { get, request } from 'node:http';
import { text } from 'node:stream/consumers';
import { serveHarness } from '../harness/program.ts';
import { instanceAt, registrationOf } from './fleet.ts';

const port = Number(process.argv[2]);
const place = { host: '127.0.0.1', port };
const asClients = { accept: 'application/json', 'accept-encoding': 'gzip' };

serveHarness(
  {},
  {
    look: async ({ second }) => {
      await Promise.all([
        register(Number(second)),
        read('/eureka/apps', asClients),
        read('/eureka/apps/delta', asClients),
        read('/', {}),
      ]);
      return {};
    },
  },
);

function register(number: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const path = `/eureka/apps/${instanceAt(number).app}`;
    const asked = request({ ...place, path, method: 'POST', headers: { 'content-type': 'application/json' } });
    asked.once('error', reject).once('response', async (answer) => {
      const said = await text(answer);
      if (answer.statusCode === 204) resolve();
      else reject(new Error(`the registration was answered by ${answer.statusCode}: ${said.slice(0, 200)}`));
    });
    asked.end(registrationOf(number, Date.now()));
  });
}

/** The bytes are counted and dropped: to unpack them is the reader's affair. */
function read(path: string, headers: Readonly<Record<string, string>>): Promise<void> {
  return new Promise((resolve, reject) => {
    const asked = get({ ...place, path, headers });
    asked.once('error', reject).once('response', (answer) => {
      let bytes = 0;
      answer.on('data', (chunk: Buffer) => {
        bytes += chunk.length;
      });
      answer.once('error', reject).once('end', () => {
        if (answer.statusCode === 200 && bytes > 0) resolve();
        else reject(new Error(`${path} was answered by ${answer.statusCode} and ${bytes} bytes`));
      });
    });
  });
}
