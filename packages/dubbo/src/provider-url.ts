import {
  type Address,
  addressFor,
  checkId,
  defaultGroup,
  type Instance,
  type InstanceFacts,
  identity,
  leaseDefaults,
  readNotes,
  writeNotes,
} from '@flotilla/core';
import { bagOf, flag, objectOrNothing, textOr, withBag } from './bag.ts';
import { readOwnMetadata, writeOwnMetadata } from './own-metadata.ts';
import { pack, packName, unpack } from './packed.ts';
import { isFact, readFacts, writeFacts } from './parameters.ts';
import { javaNameOf, pathMembers, pathOf, serviceOf } from './service-name.ts';
import { formatUrl, isPlain, parseUrl, type UrlParts } from './url-text.ts';

type Entry = readonly [name: string, text: string];

/** The name of the bag of what Dubbo writes to ZooKeeper. */
const bagName = 'dubbo';

/** Of an instance that has no address: never resolves (RFC 2606 §2). */
const nowhere: Address = { protocol: 'dubbo', host: 'no-address.invalid', port: 0 };

/**
 * The instance that an interface-level URL describes, of a provider or a consumer: the text of a leaf under
 * `/dubbo/<interface>/providers`, decoded by `decodeZnodeName`.
 *
 * | neutral | URL |
 * |---|---|
 * | `id` | `host:port` |
 * | `identity` | `interface` (else the path), `group`, `version` |
 * | `addresses` | protocol, host, port |
 * | `startedAt`, `incarnation` | `timestamp` |
 * | `weight` | `weight` / 100 |
 * | `status` | `enabled=false`: `out-of-service` |
 * | `lease` | `dynamic=false`: none; else the customary terms, for a node that lives with its session |
 * | `zone` | `zone` |
 * | `metadata` | all other parameters |
 * | all else | notes: see `writeNotes` of `@flotilla/core` |
 *
 * @throws FlotillaError MALFORMED_REQUEST for text that is no URL; INVALID_INPUT naming what is out of bounds.
 */
export function decodeProviderUrl(text: string): Instance {
  const url = unpacked(parseUrl(text));
  const facts = readNotes(nativeFacts(url), url.parameters);
  const { metadata, overflow } = readOwnMetadata(url.parameters, isUrlFact);
  const javaName = interfaceOf(url);
  return withBag({ ...facts, id: checkId(facts.id), metadata, bags: {} }, bagName, {
    userInfo: url.userInfo === '' ? undefined : url.userInfo,
    ...pathMembers(url.path, javaName),
    implicitInterface: flag(!url.parameters.has('interface')),
    inner: flag(serviceOf(javaName).inner),
    overflow: objectOrNothing(overflow),
  });
}

/**
 * The URL of an instance, parameters sorted: text for text the one that it was read from. Reading it again gives the
 * same instance, other dialects' bags excepted. Values that no parameter can hold travel in {@link packName}.
 */
export function encodeProviderUrl(instance: Instance): string {
  const url = urlOf(instance);
  const written = formatUrl(packed(url));
  const notes = writeNotes(instance, nativeFacts(unpacked(parseUrl(written)))); // by what a reader will find
  return notes.length === 0
    ? written
    : formatUrl(packed({ ...url, parameters: new Map([...url.parameters, ...notes]) }));
}

function urlOf(instance: Instance): UrlParts {
  const bag = bagOf(instance, bagName);
  const javaName = javaNameOf(instance.identity.service, bag['inner'] === true);
  const path = pathOf(bag, javaName);
  const facts = [...interfaceFacts(instance), ...writeFacts(instance)];
  if (bag['implicitInterface'] !== true || path !== javaName) facts.push(['interface', javaName]);
  const named = new Set(facts.map(([name]) => name));
  const means = (name: string, text: string): boolean => named.has(name) || isUrlFact(name, text);
  return {
    ...(addressFor(instance, ['dubbo', 'tri']) ?? instance.addresses[0] ?? nowhere),
    userInfo: textOr(bag['userInfo'], '', isUserInfo),
    path,
    parameters: new Map([...facts, ...writeOwnMetadata(instance.metadata, bag['overflow'], means)]),
  };
}

/** What the text says without notes. */
function nativeFacts(url: UrlParts): InstanceFacts {
  const { host, port, protocol, parameters } = url;
  const { startedAt, ...facts } = readFacts(parameters);
  return {
    id: `${host}:${port}`,
    identity: identity(serviceOf(interfaceOf(url)).service, {
      group: parameters.get('group') ?? defaultGroup,
      version: parameters.get('version') ?? '',
    }),
    incarnation: startedAt ?? 0,
    addresses: [{ protocol, host, port }],
    contracts: [],
    ...facts,
    ...(parameters.get('dynamic') === 'false' ? undefined : { lease: leaseDefaults }),
    ...(startedAt === undefined ? undefined : { startedAt }),
    revision: 0,
  };
}

function interfaceOf({ path, parameters }: UrlParts): string {
  return parameters.get('interface') ?? path;
}

function interfaceFacts({ identity: { group, version }, lease }: Instance): Entry[] {
  const facts: Entry[] = [];
  if (group !== defaultGroup) facts.push(['group', group]);
  if (version !== '') facts.push(['version', version]);
  if (!lease) facts.push(['dynamic', 'false']);
  return facts;
}

/** Whether a parameter of a URL is read as something else than the owner's. */
function isUrlFact(name: string, text: string): boolean {
  if (name === 'group') return text !== defaultGroup; // Dubbo's group of that name is no default; it stays as it is
  if (name === 'dynamic') return text === 'false';
  return name === 'interface' || name === 'version' || name === packName || isFact(name, text);
}

function unpacked(url: UrlParts): UrlParts {
  const text = url.parameters.get(packName);
  if (text === undefined) return url;
  const plain = [...url.parameters].filter(([name]) => name !== packName);
  return { ...url, parameters: new Map([...plain, ...unpack(text)]) };
}

function packed(url: UrlParts): UrlParts {
  const isPlainEntry = ([name, text]: Entry): boolean => isPlain(name) && isPlain(text);
  const entries = [...url.parameters];
  const others = entries.filter((entry) => !isPlainEntry(entry));
  if (others.length === 0) return url;
  return { ...url, parameters: new Map([...entries.filter(isPlainEntry), [packName, pack(others)]]) };
}

function isUserInfo(text: string): boolean {
  return /^[^/?\p{Cc}\p{Cs}]*$/u.test(text);
}
