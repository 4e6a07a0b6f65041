import { FlotillaError, type Instance, type InstanceStatus, nearest } from '@flotilla/core';
import { objectOf, type RegistryApi, servicePath } from '../engines/registry-api.ts';
import { formatTable } from '../table.ts';
import { instancesOf, statusText } from './instances.ts';
import { type Output, show } from './output.ts';

/** Whom an operator speaks of. */
export interface Chosen {
  /** Text form of the service's identity. */
  readonly service: string;
  readonly instance?: string | undefined;
  /** Every instance of the service. */
  readonly all?: boolean | undefined;
}

/** Sets an operator's status, or takes it back (undefined). It wins over what the instance says of itself. */
export async function override(
  api: RegistryApi,
  chosen: Chosen,
  status: InstanceStatus | undefined,
  output: Output,
): Promise<void> {
  const changed: { service: string; id: string; before: string; after: string }[] = [];
  for (const before of await choose(api, chosen)) {
    const path = servicePath(chosen.service, 'instances', before.id, 'override');
    const answer = status === undefined ? api.json('DELETE', path) : api.json('PUT', path, { status });
    const after = objectOf(await answer) as unknown as Pick<Instance, 'status' | 'override'>;
    changed.push({ service: chosen.service, id: before.id, before: statusText(before), after: statusText(after) });
  }
  show(output, changed, () =>
    formatTable([['INSTANCE', 'BEFORE', 'NOW'], ...changed.map(({ id, before, after }) => [id, before, after])]),
  );
}

/**
 * What is really gone: one instance, or everything of a service that fell silent and is only held because too much of it did
 * so at once.
 */
export async function evict(api: RegistryApi, { service, instance }: Chosen, output: Output): Promise<void> {
  if (instance === undefined) {
    const answer = objectOf(await api.json('POST', servicePath(service, 'evictions')));
    show(output, { service, ...answer }, () =>
      answer['evicted'] === 0
        ? `no instance of "${service}" is silent and held; one that is listed and gone: flotilla evict ${service} <instance>`
        : `evicted ${answer['evicted']} silent instances of "${service}"`,
    );
    return;
  }
  const [found] = await choose(api, { service, instance });
  await api.json('DELETE', servicePath(service, 'instances', instance));
  show(output, { service, id: found?.id, evicted: 1 }, () => `evicted "${instance}"; if it lives, it registers again`);
}

async function choose(api: RegistryApi, { service, instance, all = false }: Chosen): Promise<readonly Instance[]> {
  const present = await instancesOf(api, service);
  if (all) return present;
  const [only] = present;
  if (instance === undefined && present.length === 1 && only) return [only];
  const ids = present.map(({ id }) => id);
  if (instance === undefined) {
    throw new FlotillaError(
      'INVALID_INPUT',
      `"${service}" has ${ids.length} instances: name one, or say --all\n${ids.slice(0, 20).join('\n')}`,
    );
  }
  const found = present.find(({ id }) => id === instance);
  if (found) return [found];
  const close = nearest(instance, ids);
  throw new FlotillaError(
    'NO_ROUTE',
    `"${service}" has no instance "${instance}"${close === undefined ? '' : `; did you mean "${close}"?`}`,
  );
}
