import { dirty, instance } from './documents.ts';
import { get, json, put, register, remove, type Sketch, sketch, xml } from './requests.ts';

const replication = { ...json, 'x-netflix-discovery-replication': 'true' };
const list = (app: string) => [get(`apps/${app}/one`), get('apps/delta'), get('apps/')];

/** Heartbeats: the query of each, to an instance that is UP. */
const queries = [
  '',
  '?status=UP',
  `?status=UP&lastDirtyTimestamp=${dirty}`,
  `?status=DOWN&lastDirtyTimestamp=${dirty}`,
  `?status=BUSY&lastDirtyTimestamp=${dirty}`,
  `?lastDirtyTimestamp=${dirty - 1}`,
  `?lastDirtyTimestamp=${dirty + 1}`,
  '?lastDirtyTimestamp=',
  '?lastDirtyTimestamp',
  '?lastDirtyTimestamp=yesterday',
  '?lastDirtyTimestamp=-1',
  '?lastDirtyTimestamp=1e3',
  '?lastDirtyTimestamp=99999999999999999999',
  `?lastDirtyTimestamp=%20${dirty}`,
  `?lastDirtyTimestamp=${dirty}&lastDirtyTimestamp=${dirty + 1}`,
  `?overriddenstatus=OUT_OF_SERVICE&lastDirtyTimestamp=${dirty}`,
  `?overriddenstatus=OUT_OF_SERVICE&lastDirtyTimestamp=${dirty + 1}`,
  `?overriddenstatus=BUSY&lastDirtyTimestamp=${dirty}`,
  `?overriddenStatus=OUT_OF_SERVICE&lastDirtyTimestamp=${dirty}`,
  '?unknown=1',
];

const beats: readonly Sketch[] = [
  ...queries.map((query) =>
    sketch(`heartbeat ${query}`, (app) => [register(app), put(`apps/${app}/one${query}`), get(`apps/${app}/one`)]),
  ),
  ...queries.map((query) =>
    sketch(`heartbeat of a peer ${query}`, (app) => [
      register(app),
      put(`apps/${app}/one${query}`, replication),
      get(`apps/${app}/one`),
    ]),
  ),
  ...queries
    .slice(0, 8)
    .map((query) => sketch(`heartbeat of nobody ${query}`, (app) => [put(`apps/${app}/one${query}`)])),
  ...['TRUE', '1', 'false'].map((word) =>
    sketch(`heartbeat with x-netflix-discovery-replication: ${word}`, (app) => [
      register(app),
      put(`apps/${app}/one?lastDirtyTimestamp=${dirty - 1}`, { ...json, 'x-netflix-discovery-replication': word }),
    ]),
  ),
  ...[{}, xml, { accept: 'text/html' }, { accept: 'application/json, application/*+json' }].map((headers) =>
    sketch(`heartbeats, Accept: ${'accept' in headers ? headers.accept : 'none'}`, (app) => [
      put(`apps/${app}/one`, headers),
      register(app),
      put(`apps/${app}/one`, headers),
      put(`apps/${app}/one?lastDirtyTimestamp=${dirty - 1}`, { ...headers, 'x-netflix-discovery-replication': 'true' }),
      put(`apps/${app}/one?lastDirtyTimestamp=x`, headers),
    ]),
  ),
  ...[
    ['{}', 'application/json'],
    ['', 'application/json'],
    ['null', 'application/json'],
    ['nonsense', 'application/json'],
    ['<a/>', 'application/xml'],
    ['a=b', 'application/x-www-form-urlencoded'],
    ['hello', 'text/plain'],
  ].map(([body = '', type = '']) =>
    sketch(`heartbeat with the body "${body}" of ${type}`, (app) => [
      register(app),
      { method: 'PUT', path: `/eureka/apps/${app}/one`, headers: { ...json, 'content-type': type }, body },
      { method: 'PUT', path: `/eureka/apps/${app}/none`, headers: { ...json, 'content-type': type }, body },
    ]),
  ),
];

const values = ['UP', 'DOWN', 'OUT_OF_SERVICE', 'STARTING', 'UNKNOWN', 'BUSY', 'up', '', undefined];
const statuses: readonly Sketch[] = [
  ...values.map((value) =>
    sketch(`status ${value ?? 'of no value'}`, (app) => [
      register(app),
      put(`apps/${app}/one/status${value === undefined ? '' : `?value=${value}`}`),
      ...list(app),
      put(`apps/${app}/one?status=UP&lastDirtyTimestamp=${dirty}`),
      get(`apps/${app}/one`),
    ]),
  ),
  ...values.map((value) =>
    sketch(`status of nobody ${value ?? 'of no value'}`, (app) => [
      put(`apps/${app}/one/status${value === undefined ? '' : `?value=${value}`}`),
    ]),
  ),
  ...[
    '',
    `&lastDirtyTimestamp=${dirty}`,
    `&lastDirtyTimestamp=${dirty + 5}`,
    '&lastDirtyTimestamp=x',
    '&lastDirtyTimestamp=',
  ].map((query) =>
    sketch(`status OUT_OF_SERVICE${query}`, (app) => [
      register(app),
      put(`apps/${app}/one/status?value=OUT_OF_SERVICE${query}`),
      get(`apps/${app}/one`),
      put(`apps/${app}/one?lastDirtyTimestamp=${dirty}`),
    ]),
  ),
  ...[
    '',
    '?value=UP',
    '?value=DOWN',
    '?value=UNKNOWN',
    '?value=BUSY',
    `?lastDirtyTimestamp=${dirty}`,
    '?lastDirtyTimestamp=x',
  ].map((query) =>
    sketch(`status taken back ${query}`, (app) => [
      register(app),
      put(`apps/${app}/one/status?value=OUT_OF_SERVICE`),
      remove(`apps/${app}/one/status${query}`),
      ...list(app),
      put(`apps/${app}/one?lastDirtyTimestamp=${dirty}`),
      register(app, { lastDirtyTimestamp: String(dirty + 1) }),
      get(`apps/${app}/one`),
      put(`apps/${app}/one?lastDirtyTimestamp=${dirty + 1}`),
    ]),
  ),
  sketch('no status to take back', (app) => [
    register(app),
    remove(`apps/${app}/one/status`),
    get(`apps/${app}/one`),
    remove(`apps/${app}/two/status`),
  ]),
  sketch('a status twice', (app) => [
    register(app),
    put(`apps/${app}/one/status?value=OUT_OF_SERVICE`),
    put(`apps/${app}/one/status?value=OUT_OF_SERVICE`),
    put(`apps/${app}/one/status?value=UP`),
    ...list(app),
    remove(`apps/${app}/one/status?value=UP`),
    get(`apps/${app}/one`),
  ]),
  sketch('a status as that of the instance itself leaves no override', (app) => [
    register(app),
    put(`apps/${app}/one/status?value=UP`),
    register(app, { status: 'DOWN', lastDirtyTimestamp: String(dirty + 1) }),
    get(`apps/${app}/one`),
    register(app, { status: 'UP', lastDirtyTimestamp: String(dirty + 2) }),
    get(`apps/${app}/one`),
  ]),
  ...['DOWN', 'STARTING', 'UNKNOWN', 'OUT_OF_SERVICE', 'UP'].map((status) =>
    sketch(`out of service, then registered again as ${status}`, (app) => [
      register(app),
      put(`apps/${app}/one/status?value=OUT_OF_SERVICE`),
      register(app, { status, lastDirtyTimestamp: String(dirty + 1) }),
      ...list(app),
      put(`apps/${app}/one?lastDirtyTimestamp=${dirty + 1}`),
      remove(`apps/${app}/one`),
      register(app, { status, lastDirtyTimestamp: String(dirty + 2) }),
      get(`apps/${app}/one`),
    ]),
  ),
];

const metadata: readonly Sketch[] = [
  '?a=b',
  '?a=b&c=d',
  '?a=b&a=c',
  '?a=',
  '?a',
  '?a=%C3%BC+x',
  '?a=%zz',
  '?management.port=1',
  '?@class=x',
  '?a.b=c%26d',
  '',
].flatMap((query) => [
  sketch(`metadata ${query}`, (app) => [
    register(app),
    put(`apps/${app}/one/metadata${query}`),
    get(`apps/${app}/one`),
    get(`apps/${app}/one`, xml),
    put(`apps/${app}/one?lastDirtyTimestamp=${dirty}`),
    register(app),
    get(`apps/${app}/one`),
    put(`apps/${app}/none/metadata${query}`),
  ]),
]);

const again: readonly Sketch[] = [
  ...[-1, 0, 1].flatMap((step) =>
    ['UP', 'DOWN', 'OUT_OF_SERVICE', 'STARTING', 'UNKNOWN'].map((status) =>
      sketch(`registered again ${step} ms later as ${status}`, (app) => [
        register(app),
        register(app, { status, hostName: 'h2', lastDirtyTimestamp: String(dirty + step) }),
        ...list(app),
        put(`apps/${app}/one?lastDirtyTimestamp=${dirty + step}`),
      ]),
    ),
  ),
  ...['DOWN', 'OUT_OF_SERVICE', 'STARTING'].map((status) =>
    sketch(`first ${status}, then UP`, (app) => [
      register(app, { status }),
      ...list(app),
      register(app, { lastDirtyTimestamp: String(dirty + 1) }),
      ...list(app),
    ]),
  ),
  sketch('gone, and registered again older', (app) => [
    register(app),
    remove(`apps/${app}/one`),
    ...list(app),
    remove(`apps/${app}/one`),
    put(`apps/${app}/one`),
    register(app, { lastDirtyTimestamp: String(dirty - 1) }),
    ...list(app),
  ]),
  sketch('gone, and registered again as it was', (app) => [
    register(app),
    remove(`apps/${app}/one`),
    register(app),
    ...list(app),
  ]),
  sketch('gone, and registered again younger', (app) => [
    register(app),
    remove(`apps/${app}/one`),
    register(app, { lastDirtyTimestamp: String(dirty + 1) }),
    ...list(app),
  ]),
  sketch('gone, told by a peer', (app) => [register(app), remove(`apps/${app}/one`, replication), ...list(app)]),
  sketch('registered by a peer', (app) => [
    register(app, { status: 'OUT_OF_SERVICE' }, { 'x-netflix-discovery-replication': 'true' }),
    get(`apps/${app}/one`),
    register(app, { status: 'UP' }, { 'x-netflix-discovery-replication': 'true' }),
    get(`apps/${app}/one`),
    put(`apps/${app}/one/status?value=OUT_OF_SERVICE`, replication),
    get(`apps/${app}/one`),
    remove(`apps/${app}/one/status?value=UP`, replication),
    get(`apps/${app}/one`),
  ]),
  sketch('two instances of one application', (app) => [
    register(app),
    register(app, { instanceId: 'two', hostName: 'h2', status: 'DOWN' }),
    get(`apps/${app}`),
    get(`apps/${app}`, xml),
    get('apps/'),
    get('apps/delta'),
    get('apps/delta', xml),
    get(`vips/${app.toLowerCase()}`),
    get(`vips/${app.toLowerCase()}`, xml),
    remove(`apps/${app}/one`),
    get(`apps/${app}`),
    get('apps/delta'),
    get(`instances/two`),
    remove(`apps/${app}/two`),
    get(`apps/${app}`),
  ]),
  sketch('the other VIP address, in both forms', (app) => [
    register(app),
    register(app, { vipAddress: `${app}-moved`, lastDirtyTimestamp: String(dirty + 1) }),
    get(`vips/${app.toLowerCase()}`),
    get(`vips/${app}-moved`),
    get(`vips/${app.toLowerCase()}`, { ...json, 'x-eureka-accept': 'compact' }),
    get(`vips/${app}-moved`, { ...json, 'x-eureka-accept': 'compact' }),
  ]),
];

/** One item of a batch about the instance "one". */
const item = (app: string, action: string | undefined, more: Readonly<Record<string, unknown>> = {}) => ({
  appName: app,
  id: 'one',
  lastDirtyTimestamp: dirty,
  status: 'UP',
  action,
  ...more,
});

const batch = (body: unknown, headers = {}) => ({
  method: 'POST',
  path: '/eureka/peerreplication/batch/',
  headers: { ...json, 'content-type': 'application/json', ...headers },
  body: typeof body === 'string' ? body : JSON.stringify(body),
});

const lists: Readonly<Record<string, (app: string) => unknown>> = {
  'of nothing': () => ({ replicationList: [] }),
  'without a list': () => ({}),
  'with the list null': () => ({ replicationList: null }),
  'with an item null': () => ({ replicationList: [null] }),
  'that is no JSON': () => 'nope',
  'that is empty': () => '',
  'that is null': () => 'null',
  'with an unknown key': (app) => ({ replicationList: [item(app, 'Heartbeat', { colour: 'red' })] }),
  'with an unknown key beside the list': () => ({ replicationList: [], colour: 'red' }),
  'with an unknown action': (app) => ({ replicationList: [item(app, 'Explode')] }),
  'with an action in lower case': (app) => ({ replicationList: [item(app, 'heartbeat')] }),
  'without action': (app) => ({ replicationList: [item(app, undefined)] }),
  'without appName': (app) => ({ replicationList: [item(app, 'Heartbeat', { appName: undefined })] }),
  'without id': (app) => ({ replicationList: [item(app, 'Heartbeat', { id: undefined })] }),
  'Register without instance': (app) => ({ replicationList: [item(app, 'Register')] }),
  'Register of a bad instance': (app) => ({
    replicationList: [item(app, 'Register', { instanceInfo: instance(app, { hostName: undefined }) })],
  }),
  'Register of a broken instance': (app) => ({
    replicationList: [item(app, 'Register', { instanceInfo: instance(app, { port: 5 }) })],
  }),
  'Heartbeat of nobody': (app) => ({ replicationList: [item(app, 'Heartbeat', { id: 'two' })] }),
  'Heartbeat without a time': (app) => ({
    replicationList: [item(app, 'Heartbeat', { lastDirtyTimestamp: undefined })],
  }),
  'Heartbeat, older': (app) => ({ replicationList: [item(app, 'Heartbeat', { lastDirtyTimestamp: dirty - 1 })] }),
  'Heartbeat, younger': (app) => ({ replicationList: [item(app, 'Heartbeat', { lastDirtyTimestamp: dirty + 1 })] }),
  'Heartbeat, younger, with an override': (app) => ({
    replicationList: [item(app, 'Heartbeat', { lastDirtyTimestamp: dirty + 1, overriddenStatus: 'OUT_OF_SERVICE' })],
  }),
  'Heartbeat with a time as text': (app) => ({
    replicationList: [item(app, 'Heartbeat', { lastDirtyTimestamp: String(dirty) })],
  }),
  'StatusUpdate to a word that is none': (app) => ({
    replicationList: [item(app, 'StatusUpdate', { status: 'BUSY' })],
  }),
  'StatusUpdate without status': (app) => ({ replicationList: [item(app, 'StatusUpdate', { status: undefined })] }),
  'StatusUpdate of nobody': (app) => ({ replicationList: [item(app, 'StatusUpdate', { id: 'two' })] }),
  'DeleteStatusOverride without a time': (app) => ({
    replicationList: [item(app, 'DeleteStatusOverride', { lastDirtyTimestamp: undefined })],
  }),
  'Cancel of nobody': (app) => ({ replicationList: [item(app, 'Cancel', { id: 'two' })] }),
  'Cancel with nothing more': (app) => ({ replicationList: [{ appName: app, id: 'one', action: 'Cancel' }] }),
  'of everything': (app) => ({
    replicationList: [
      item(app, 'Register', { instanceInfo: instance(app, { hostName: 'h2', lastDirtyTimestamp: String(dirty + 1) }) }),
      item(app, 'Heartbeat', { lastDirtyTimestamp: dirty + 1 }),
      item(app, 'StatusUpdate', { status: 'OUT_OF_SERVICE', lastDirtyTimestamp: dirty + 1 }),
      item(app, 'Heartbeat', { lastDirtyTimestamp: dirty + 1, overriddenStatus: 'OUT_OF_SERVICE' }),
      item(app, 'DeleteStatusOverride', { lastDirtyTimestamp: dirty + 1, status: 'UP' }),
      item(app, 'Heartbeat', { lastDirtyTimestamp: dirty }),
      item(app, 'Heartbeat', { id: 'two' }),
      item(app, 'Cancel', { id: 'two' }),
    ],
  }),
  'of a Register and a Cancel': (app) => ({
    replicationList: [
      item(app, 'Register', { id: 'two', instanceInfo: instance(app, { instanceId: 'two', actionType: 'DELETED' }) }),
      item(app, 'Cancel', { id: 'two' }),
    ],
  }),
};

const batches: readonly Sketch[] = [
  ...Object.entries(lists).map(([name, body]) =>
    sketch(`batch ${name}`, (app) => [register(app), batch(body(app)), get(`apps/${app}`), get('apps/delta')]),
  ),
  sketch('batch at the address without a slash, answers in every form', (app) => [
    register(app),
    ...[
      {},
      { accept: 'application/xml' },
      { accept: '*/*' },
      { accept: 'text/html' },
      { 'accept-encoding': 'gzip' },
    ].map((headers) => ({
      ...batch({ replicationList: [item(app, 'Heartbeat', { lastDirtyTimestamp: dirty - 1 })] }),
      path: '/eureka/peerreplication/batch',
      headers: { 'content-type': 'application/json', ...headers },
    })),
  ]),
  ...['application/xml', 'text/plain'].map((type) =>
    sketch(`batch of the type ${type}`, () => [batch({ replicationList: [] }, { 'content-type': type })]),
  ),
];

/** What happens to an instance after its registration. */
export const living: readonly Sketch[] = [...beats, ...statuses, ...metadata, ...again, ...batches];
