import { type Call, FlotillaError } from '@flotilla/core';
import { HttpHeaders, type HttpResponse, parseJson, readBody } from '@flotilla/http';
import { momentOf } from '@flotilla/registry';
import { assertMayReplicate, type Registry } from '@flotilla/registry/server';
import { writeInstance } from '../formats.ts';
import { document, empty, refusedRegistration } from '../server/answers.ts';
import type { DocumentType } from '../server/negotiation.ts';
import { digestOf, entriesOf, writeEntry } from './digest.ts';
import { type ItemResult, type ReceivedItem, type ReplicationAction, readBatch, readKeys } from './items.ts';
import { nodeHeader } from './peer-http.ts';
import type { AskedByPeer, PeerResources } from './peer-resources.ts';
import type { Peers } from './peers.ts';
import { Receiver } from './receiver.ts';
import { maxBatchToOurs } from './sender.ts';
import { TaskWriter } from './task-writer.ts';
import { buckets, Stamps } from './versions.ts';

/** A thousand instances with metadata; a Java server sends 250 at a time. */
const maxBatchBytes = 8_388_608;

/**
 * The receiving side of replication.
 *
 * | request | answer |
 * |---|---|
 * | `POST peerreplication/batch` | 200 with a result for each task, see {@link Receiver}; 400, 413 for all of it |
 * | `GET peerreplication/fingerprints?buckets=` | one text for each of 256 groups of instances; of some groups each instance |
 * | `POST peerreplication/instances` | the named ones, as tasks of a batch |
 *
 * The last two are asked by registries of ours alone.
 */
export function peerResources(registry: Registry, peers: Peers | undefined): PeerResources {
  const stamps = peers?.stamps ?? new Stamps();
  let own: Receiver | undefined;
  const receiverFor = ({ clock }: Call): Receiver => {
    own ??= peers?.receiver ?? new Receiver(registry, stamps, clock);
    return own;
  };
  const batch = async (asked: AskedByPeer) => {
    const { call, type } = asked;
    const items = await readItems(asked);
    if ('status' in items) return items;
    const results = items.map((item) => resultFor(item, receiverFor(call).apply(item)));
    await registry.settled();
    return answerBatch(results, type, registry.epoch);
  };
  const fingerprints = async ({ request, call }: AskedByPeer) => {
    const wanted = readBuckets(request.query);
    if (!wanted) {
      const buckets = await digestOf(registry, call.clock);
      return named(registry, json({ instances: registry.size, complete: registry.complete, buckets }));
    }
    const entries = await entriesOf(registry, stamps, wanted, call.clock);
    return named(registry, json({ entries: entries.map(writeEntry) }));
  };
  const instances = async ({ request, call }: AskedByPeer) => {
    const keys = readKeys(parseJson(await readBody(request.body, maxBatchBytes, call)), maxBatchToOurs);
    const writer = peers?.writer ?? new TaskWriter(registry, stamps, call.clock);
    const leases = keys.map((key) => registry.get(key)).filter((lease) => lease !== undefined);
    return named(registry, json({ replicationList: leases.map((lease) => writer.register(lease, true)) }));
  };
  return {
    batch: forPeers(batch),
    fingerprints: forPeers(fingerprints),
    instances: forPeers(instances),
    task: (action, asked) => single(registry, receiverFor(asked.call), action, asked),
    adopt: (instance, call) => void receiverFor(call).adopt(instance),
  };
}

function forPeers(answer: (asked: AskedByPeer) => Promise<HttpResponse>): typeof answer {
  return async (asked) => {
    assertMayReplicate(asked.who);
    return answer(asked);
  };
}

/** @returns the answer to a batch that cannot be read: nothing of it is done. */
async function readItems({ request, call }: AskedByPeer): Promise<ReceivedItem[] | HttpResponse> {
  const body = await readBody(request.body, maxBatchBytes, call);
  try {
    return readBatch(parseJson(body), momentOf(call.clock).wallAt, maxBatchToOurs);
  } catch (error) {
    if (error instanceof FlotillaError && error.httpStatus === 400)
      return refusedRegistration(malformedOf(error), 'application/json');
    throw error;
  }
}

/** A Java server has the same words for whatever is wrong with a batch. */
function malformedOf(error: FlotillaError): FlotillaError {
  return error.code === 'MALFORMED_REQUEST' ? error : new FlotillaError('MALFORMED_REQUEST', error.detail);
}

/** A Java server stumbles over members that it does not know. */
function resultFor({ note }: ReceivedItem, { flotilla, ...result }: ItemResult): ItemResult {
  return note && flotilla ? { ...result, flotilla } : result;
}

function answerBatch(responseList: readonly ItemResult[], type: DocumentType, epoch: string): HttpResponse {
  const response = type === 'application/json' ? json({ responseList }) : xmlOf(responseList);
  response.headers.set(nodeHeader, epoch);
  return response;
}

const protocolPackage = 'com.netflix.eureka.cluster.protocol';

/** As XStream writes these classes of a Java server: nobody is known to ask for it. */
function xmlOf(results: readonly ItemResult[]): HttpResponse {
  const item = `${protocolPackage}.ReplicationInstanceResponse`;
  const items = results.map(
    ({ statusCode }) => `    <${item}>\n      <statusCode>${statusCode}</statusCode>\n    </${item}>\n`,
  );
  const root = `${protocolPackage}.ReplicationListResponse`;
  const list = items.length === 0 ? '  <responseList/>\n' : `  <responseList>\n${items.join('')}  </responseList>\n`;
  const headers = new HttpHeaders([['content-type', 'application/xml']]);
  return { status: 200, headers, body: Buffer.from(`<${root}>\n${list}</${root}>`) };
}

/** One task by the resource that an owner or operator uses, with the answers of a Java server. */
async function single(
  registry: Registry,
  receiver: Receiver,
  action: Exclude<ReplicationAction, 'Register'>,
  { request, params, type }: AskedByPeer,
): Promise<HttpResponse> {
  const query = new URLSearchParams(request.query);
  const dirty = query.get('lastDirtyTimestamp');
  if (dirty !== null && !/^[0-9]{1,15}$/.test(dirty)) return empty(400);
  const item: ReceivedItem = {
    appName: params.get('app'),
    id: params.get('id'),
    lastDirtyTimestamp: dirty === null ? undefined : Number(dirty),
    overriddenStatus: query.get('overriddenstatus') ?? undefined,
    status: query.get('value') ?? undefined,
    instance: undefined,
    action,
    note: undefined,
  };
  // Without a status and a time a Java server takes an override back here, and only in a batch it does not.
  const needed = action === 'DeleteStatusOverride' ? { lastDirtyTimestamp: item.lastDirtyTimestamp ?? 0 } : {};
  const { statusCode, responseEntity } = receiver.apply({ ...item, ...needed });
  await registry.settled();
  if (statusCode === 409 && responseEntity) {
    return document(writeInstance(responseEntity, type), type, 409);
  }
  if (action === 'StatusUpdate' && statusCode === 500) {
    throw new FlotillaError('INVALID_INPUT', 'value must be the exact name of a status');
  }
  return empty(statusCode);
}

/** @returns undefined: none was named. @throws FlotillaError INVALID_INPUT */
function readBuckets(query: string): ReadonlySet<number> | undefined {
  const text = new URLSearchParams(query).get('buckets');
  if (text === null) return undefined;
  const wanted = text.split(',').map((part) => (/^[0-9]{1,3}$/.test(part) ? Number(part) : Number.NaN));
  if (wanted.length <= buckets && wanted.every((bucket) => bucket < buckets)) return new Set(wanted);
  throw new FlotillaError('INVALID_INPUT', `buckets must be numbers below ${buckets} with commas between them`);
}

function named({ epoch }: Registry, response: HttpResponse): HttpResponse {
  response.headers.set(nodeHeader, epoch);
  return response;
}

function json(value: unknown): HttpResponse {
  return document(JSON.stringify(value), 'application/json');
}
