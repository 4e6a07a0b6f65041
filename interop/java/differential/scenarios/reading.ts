import { get, type Headers, register, type Sketch, sketch } from './requests.ts';

const accepts: readonly Headers[] = [
  {},
  { accept: '' },
  { accept: '*/*' },
  { accept: 'application/json' },
  { accept: 'application/json, application/*+json' },
  { accept: 'application/json;q=0.5, application/xml' },
  { accept: 'application/xml' },
  { accept: 'application/xml, application/json' },
  { accept: 'application/xml;q=0.1, application/json' },
  { accept: 'application/*' },
  { accept: 'APPLICATION/JSON' },
  { accept: 'application/json;charset=utf-8' },
  { accept: 'text/html, application/xhtml+xml, application/xml;q=0.9, */*;q=0.8' },
  { accept: 'text/html' },
  { accept: 'text/plain' },
  { accept: 'text/xml' },
  { accept: 'application/hal+json' },
  { accept: 'nonsense' },
];

/** What is fetched by clients, of an application with one instance and of one that nobody knows. */
const resources = (app: string): string[] => [
  'apps/',
  'apps/delta',
  `apps/${app}`,
  `apps/${app}/one`,
  `instances/one-of-${app}`,
  `vips/${app.toLowerCase()}`,
  'vips/nobody',
  'apps/NOBODY',
  'apps/NOBODY/one',
];

const encodings = ['gzip', 'x-gzip', 'gzip;q=0', 'GZIP', 'deflate, gzip', 'identity', 'br'];
const forms = ['full', 'compact', 'COMPACT', 'tiny'];

/** Odd addresses of good resources. */
const addresses = (app: string): string[] => [
  'apps',
  'apps/',
  'apps//',
  '/apps',
  'apps/delta/',
  'apps/DELTA',
  `apps/${app}/`,
  `apps/${app.toLowerCase()}`,
  `apps/${app}/one/`,
  `apps/${app}/ONE`,
  `apps/${app}/one/status`,
  `apps/${app}/one/metadata`,
  `apps/${app}/one/nothing`,
  `apps/%41${app.slice(1)}`,
  `apps/${app};v=1`,
  `apps/${app}/one;v=1`,
  `apps/${app}?regions=`,
  'apps?regions=us-east-1',
  'apps?regions=us-east-1,eu-west-1',
  'apps/delta?regions=us-east-1',
  'apps?unknown=1',
  `vips/${app.toLowerCase()}/`,
  `vips/${app}`,
  `vips/${app.toLowerCase()},other`,
  'vips/other',
  'vips/%20',
  `svips/${app.toLowerCase()}`,
  'svips/nobody',
  'vips',
  'vips/',
  'svips',
  'instances',
  'instances/one',
  'instances/nobody',
  'v2/apps',
  'v2/apps/',
  `v2/apps/${app}/one`,
  'v1/apps',
  'V2/apps',
  'v3/apps',
  'v2/v2/apps',
  'lastn',
  'status',
  'asg',
  'peerreplication/batch',
  'serverinfo/statusoverrides',
  '',
  'nothing',
];

/** Reads: what is wanted, in which form, at which address. */
export const reading: readonly Sketch[] = [
  sketch('nobody is registered', (app) =>
    ['apps/', 'apps/delta', `apps/${app}`, `apps/${app}/one`, 'vips/a', 'svips/a'].flatMap((path) => [
      get(path),
      get(path, { accept: 'application/xml' }),
      get(path, { accept: 'application/json', 'x-eureka-accept': 'compact' }),
      get(path, { accept: 'application/xml', 'x-eureka-accept': 'compact' }),
    ]),
  ),
  ...accepts.map((headers) =>
    sketch(`Accept: ${headers['accept'] ?? 'none'}`, (app) => [
      register(app),
      ...resources(app).map((path) => get(path, headers)),
    ]),
  ),
  ...forms.flatMap((form) =>
    ['application/json', 'application/xml'].map((accept) =>
      sketch(`X-Eureka-Accept: ${form} of ${accept}`, (app) => [
        register(app, { vipAddress: `${app.toLowerCase()},other` }),
        ...resources(app).map((path) => get(path, { accept, 'x-eureka-accept': form })),
      ]),
    ),
  ),
  ...encodings.map((encoding) =>
    sketch(`Accept-Encoding: ${encoding}`, (app) => [
      register(app),
      ...resources(app).map((path) => get(path, { accept: 'application/json', 'accept-encoding': encoding })),
    ]),
  ),
  ...addresses('APP').map((_, index) =>
    sketch(`GET ${addresses('{app}')[index]}`, (app) => [
      register(app, { vipAddress: `${app.toLowerCase()},other` }),
      get(addresses(app)[index] ?? ''),
    ]),
  ),
];
