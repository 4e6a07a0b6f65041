import type { Ask } from '../ask.ts';
import { json, register, type Sketch, sketch } from './requests.ts';

const resources = (app: string): string[] => [
  'apps',
  'apps/delta',
  `apps/${app}`,
  `apps/${app}/one`,
  `apps/${app}/one/status`,
  `apps/${app}/one/metadata`,
  'instances/one',
  'vips/a',
  'peerreplication/batch',
  'status',
];

/** What no client sends; what is sent with the method is empty. Those that succeed are asked for elsewhere. */
const unusual: Readonly<Record<string, RegExp>> = {
  HEAD: /./,
  OPTIONS: /./,
  PATCH: /./,
  POST: /apps$|delta|one/,
  PUT: /apps$|delta|APP\d*$|instances|vips|peer|^status/,
  DELETE: /apps$|delta|APP\d*$|instances|vips|peer|^status/,
  GET: /one\/|peer/,
};

/** Every resource with every method that it does not have. */
export const methods: readonly Sketch[] = Object.entries(unusual).flatMap(([method, where]) =>
  resources('APP')
    .map((path, index) => ({ path, index }))
    .filter(({ path }) => where.test(path))
    .map(({ path, index }) =>
      sketch(`${method} ${path.replace('APP', '{app}')}`, (app): Ask[] => [
        register(app),
        { method, path: `/eureka/${resources(app)[index]}`, headers: json },
      ]),
    ),
);
