/** One server, asked over one transport. */
export interface Subject {
  /** Also the class of its curves. */
  readonly id: string;
  readonly title: string;
  readonly server: 'flotilla' | 'node' | 'fastify';
  readonly transport: 'http' | 'rsocket';
}

export const subjects: readonly Subject[] = [
  { id: 'flotilla', title: 'flotilla', server: 'flotilla', transport: 'rsocket' },
  { id: 'flotilla-http', title: 'flotilla, HTTP', server: 'flotilla', transport: 'http' },
  { id: 'node', title: 'node:http', server: 'node', transport: 'http' },
  { id: 'fastify', title: 'Fastify', server: 'fastify', transport: 'http' },
];
