import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { suite, test } from 'node:test';
import { type Difference, differencesOf, type RecordedExchange, readRecording } from './eureka-recorded.ts';
import { type EurekaServed, serveEureka } from './eureka-served.ts';

// Recorded exchanges of real clients and a real server (Spring Cloud 2025.0 and 2021.0), sent to ours in their order. What
// the recordings leave out is done between them, and every difference that is meant is listed with its reason.

const folder = join(process.env['FLOTILLA_TEST_DATA'] ?? '', 'eureka-traffic');
const isThere = process.env['FLOTILLA_TEST_DATA'] !== undefined && existsSync(folder);
const skip = isThere ? false : 'SKIPPED LOUDLY: set FLOTILLA_TEST_DATA to a folder that holds eureka-traffic/';

/** What was done before an exchange, and is not in the recording. */
type Step = readonly [line: string, body?: object];

interface Recording {
  readonly file: string;
  readonly before: Readonly<Record<string, readonly Step[]>>;
}

const books = (id: string, changes: object = {}): Step => [
  'POST /eureka/apps/BOOKS',
  {
    instance: {
      instanceId: `${id}:books:8080`,
      hostName: id,
      app: 'BOOKS',
      ipAddr: id.replace('h', '10.0.0.'),
      port: { $: 8080, '@enabled': 'true' },
      securePort: { $: 443, '@enabled': 'false' },
      dataCenterInfo: { '@class': 'com.netflix.appinfo.InstanceInfo$DefaultDataCenterInfo', name: 'MyOwn' },
      vipAddress: 'books',
      ...changes,
    },
  },
];
const firstBook = books('h1', {
  metadata: { 'management.port': '8080' },
  homePageUrl: 'http://h1:8080/',
  statusPageUrl: 'http://h1:8080/actuator/info',
  healthCheckUrl: 'http://h1:8080/actuator/health',
  secureVipAddress: 'books',
  lastDirtyTimestamp: 1_700_000_000_000,
});
const override: Step = ['PUT /eureka/apps/BOOKS/h1:books:8080/status?value=OUT_OF_SERVICE'];
const noOverride: Step = ['DELETE /eureka/apps/BOOKS/h1:books:8080/status'];

/** A recorded registration, sent again with changes. */
const again = (file: string, title: string, changes: object): Step => {
  const recorded = recordingOf(file).find((exchange) => exchange.title.startsWith(title));
  assert.ok(recorded, `${file} has no "${title}"`);
  const { instance } = JSON.parse(recorded.request.body);
  return [recorded.request.line, { instance: { ...instance, ...changes } }];
};

const recordings = (): readonly Recording[] => [
  {
    file: 'server-answers-2025.0.txt',
    before: {
      'all, JSON full': [firstBook],
      'delta after override': [['GET /eureka/apps/delta'], override],
      'heartbeat, replica, older lastDirtyTimestamp: 409 + instance': [
        noOverride,
        firstBook,
        ['PUT /eureka/apps/BOOKS/h1:books:8080/metadata?a=1&color=blue'],
      ],
      'Accept XML then JSON: JSON bytes labelled XML': [
        override,
        noOverride,
        books('h2', { metadata: { a_b: '1' }, lastDirtyTimestamp: 1_795_382_105_637 }),
      ],
      'delta after cancel': [['DELETE /eureka/apps/BOOKS/h1:books:8080']],
    },
  },
  {
    file: 'client-resttemplate-2025.0.txt',
    before: {
      'actuator POST serviceregistry OUT_OF_SERVICE': [
        again('client-resttemplate-2025.0.txt', 'register', { lastDirtyTimestamp: 1_795_381_347_717 }),
      ],
    },
  },
  {
    file: 'client-variants.txt',
    before: {
      'RestClient 2025.0: full fetch': [
        again('client-resttemplate-2025.0.txt', 'register', {
          lastDirtyTimestamp: 1_795_381_926_170,
          leaseInfo: null,
          metadata: { 'management.port': '18720' },
        }),
      ],
      'RestTemplate 2025.0: HTTP Basic from user:secret@ in the service URL': [
        again('client-variants.txt', 'RestClient 2025.0: register', { lastDirtyTimestamp: 1_795_382_193_840 }),
      ],
    },
  },
];

/** A difference that is meant. */
interface Accepted {
  readonly name: string;
  readonly reason: string;
  readonly title: RegExp;
  readonly place: RegExp;
}

const accepted: readonly Accepted[] = [
  {
    name: 'heartbeats have no body',
    reason:
      'clients of Jersey 3 take any body of a heartbeat for an instance, and never register again after such a 404',
    title: /^(?:heartbeat, newer|\.\.\. the next heartbeat)/,
    place: /^(?:body|header content-type)$/,
  },
  {
    name: 'bad input is 400',
    reason: 'what a client got wrong is no failure of the server; Java clients treat both alike',
    title: /^illegal status name$/,
    place: /^(?:status|body\.(?:status|error))$/,
  },
  {
    name: 'errors say why',
    reason: 'a member of Spring’s error document that its servers leave out by default',
    title: /^(?:illegal status name|text\/plain|wrong method)/,
    place: /^body\.message$/,
  },
  {
    name: 'refusals say why',
    reason: 'what could not be parsed, and where',
    title: /^(?:bare-number port|hazard|batch)/,
    place: /^body\.detail$/,
  },
  {
    name: 'refusals in XML say why',
    reason: 'what could not be parsed, and where',
    title: /^not XML$/,
    place: /^body$/,
  },
  {
    name: 'plain text is labelled so',
    reason: 'Java labels the words of its validation with what the client accepts',
    title: /^missing hostname$/,
    place: /^header content-type$/,
  },
  {
    name: 'the label of a list is true',
    reason: 'JSON bytes labelled XML fail whoever goes by the label; who goes by the bytes gets the same ones',
    title: /^Accept XML then JSON/,
    place: /^header content-type$/,
  },
  {
    name: 'the page of an error is ours',
    reason: 'for people',
    title: /^Accept text\/html$/,
    place: /^body$/,
  },
  {
    name: "the owner's word counts at once",
    reason:
      'an instance that is put back in is not UNKNOWN until its next heartbeat; that is sent to register as in Java',
    title: /^(?:Accept XML then JSON|delta after cancel)/,
    place: /\.status$/,
  },
  {
    name: 'notes in metadata',
    reason: 'what no field of Eureka says, for readers of ours: here, what the owner said of itself',
    title: /^delta after override$/,
    place: /\.metadata\.flotilla\.status$/,
  },
  {
    name: 'a batch is answered with what was listed at each task',
    reason: 'a Java server writes the instance when all is done, as deleted when a later task cancels it',
    title: /^batch: one of each$/,
    place: /\.responseEntity\.actionType$/,
  },
  {
    name: 'status in JSON',
    reason: 'a Java server fails to write it unless a threshold of peers is set',
    title: /^status page, JSON$/,
    place: /^(?:status|body\..*)$/,
  },
  {
    name: 'status tells of this server',
    reason: 'its processors, memory and address are others',
    title: /^status page, XML$/,
    place: /^body$/,
  },
  {
    name: 'what breaks a Java server is refused',
    reason: 'a plain data center called Amazon empties every list of a Java server',
    title: /^(?:hazard: Default|… and breaks)/,
    place: /^(?:status|header content-type|body(?:\..*)?)$/,
  },
];

suite('what real clients sent and a real server answered, to ours', { skip }, () => {
  const used = new Set<Accepted>();
  for (const { file, before } of isThere ? recordings() : []) {
    test(file, async () => {
      const exchanges = recordingOf(file);
      const served = await serveEureka(momentOf(exchanges));
      const steps = new Set(Object.keys(before));
      const unexpected: string[] = [];
      for (const exchange of exchanges) {
        steps.delete(exchange.title);
        for (const [line, body] of before[exchange.title] ?? []) await done(served, line, body);
        if (exchange.isInjected) continue; // the server never saw it
        for (const difference of await differencesAt(served, exchange)) {
          const meant = accepted.filter(
            ({ title, place }) => title.test(exchange.title) && place.test(difference.place),
          );
          for (const each of meant) used.add(each);
          if (meant.length === 0) unexpected.push(shown(exchange, difference));
        }
      }
      await served.stop();
      assert.deepEqual([...steps], [], 'steps before exchanges that are not in the recording');
      assert.deepEqual(unexpected, []);
    });
  }
  test('every difference that is meant is there', () => {
    const gone = accepted.filter((each) => !used.has(each)).map(({ name }) => name);
    assert.deepEqual(gone, []);
  });
});

test('a difference is found wherever it is', () => {
  const message = (line: string, body: string, type = 'application/json') => ({
    line,
    headers: new Map([['content-type', type]]),
    body,
  });
  const theirs = message('HTTP/1.1 200', '{"a":{"b":[1,2],"lastUpdatedTimestamp":"17"}}');
  const ours = message('HTTP/1.1 404', '{"a":{"b":[1,3],"lastUpdatedTimestamp":"18"},"c":1}', 'text/plain');
  assert.deepEqual(
    differencesOf(theirs, ours).map(({ place }) => place),
    ['status', 'header content-type', 'body.a.b.1', 'body.c'],
  );
});

async function differencesAt(served: EurekaServed, { request, response }: RecordedExchange): Promise<Difference[]> {
  const ours = await served.ask(request.line, request.headers, request.body === '' ? undefined : request.body);
  return differencesOf(response, ours);
}

async function done(served: EurekaServed, line: string, body?: object): Promise<void> {
  const headers: [string, string][] = body ? [['content-type', 'application/json']] : [];
  const { line: answer } = await served.ask(line, headers, body && JSON.stringify(body));
  assert.match(answer, / 20[04]$/, line);
}

/** When the first answer was given: clients' timestamps are of those days. */
function momentOf(exchanges: readonly RecordedExchange[]): number {
  const dates = exchanges.map(({ response }) => Date.parse(response.headers.get('date') ?? ''));
  return Math.max(...dates.filter(Number.isFinite));
}

function recordingOf(file: string): RecordedExchange[] {
  return readRecording(join(folder, file));
}

function shown({ title }: RecordedExchange, { place, theirs, ours }: Difference): string {
  return `${title}: ${place} is ${JSON.stringify(theirs)?.slice(0, 300)} there, ${JSON.stringify(ours)?.slice(0, 300)} here`;
}
