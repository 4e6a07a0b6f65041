import {
  type Address,
  type ContractRef,
  type Identity,
  type Instance,
  type InstanceStatus,
  instanceStatuses,
  type LeaseTerms,
} from '@flotilla/core';
import fc from 'fast-check';

/** How a property is sampled: the same each time, unless `FLOTILLA_SEED` names another seed. */
export function sampling(numRuns: number): { readonly numRuns: number; readonly seed: number } {
  return { numRuns, seed: Number(process.env['FLOTILLA_SEED'] ?? 20_261_122) };
}

/** Names that a dialect reads as something else, or that a careless object would trip over. */
const loadedNames: readonly string[] = [
  '',
  '@class',
  '__proto__',
  'category',
  'constructor',
  'dubbo.endpoints',
  'dynamic',
  'enabled',
  'flotilla.later',
  'flotilla.metadata',
  'flotilla.status',
  'flotilla.user.zone',
  'group',
  'interface',
  'path',
  'preserved.heart.beat.interval',
  'preserved.heart.beat.timeout',
  'preserved.ip.delete.timeout',
  'protocol',
  'secure',
  'side',
  'timestamp',
  'toString',
  'version',
  'weight',
  'zone',
];

/** Values that mean something under one of those names. */
const loadedTexts: readonly string[] = [
  '',
  ' ',
  '0',
  '1',
  '2',
  '100',
  '15000',
  '30000',
  'a&b=c;d',
  'default',
  'false',
  'providers',
  'true',
  '[]',
  '[{"port":1,"protocol":"dubbo"}]',
];

/** Records as parsed JSON has them. */
function plain<T>(members: { [K in keyof T]: fc.Arbitrary<T[K]> }): fc.Arbitrary<T> {
  return fc.record(members, { noNullPrototype: true });
}

const text = (maxLength: number): fc.Arbitrary<string> => fc.string({ unit: 'binary', maxLength });

/** The longest text that an id, a name or a host may be. */
const longest = fc.constant('x'.repeat(255));

/** 1 to 255 characters, none of them a control character or half a surrogate pair. */
export const printable: fc.Arbitrary<string> = fc.oneof(
  { weight: 1, arbitrary: longest },
  {
    weight: 20,
    arbitrary: fc
      .string({ unit: 'grapheme', minLength: 1, maxLength: 12 })
      .filter((value) => /^[^\p{Cc}\p{Cs}]{1,255}$/u.test(value)),
  },
);

const part: fc.Arbitrary<string> = printable.filter((value) => !/[/@]/.test(value));
const service: fc.Arbitrary<string> = fc.oneof(
  { weight: 1, arbitrary: longest },
  { weight: 20, arbitrary: fc.stringMatching(/^[A-Za-z0-9._:-]{1,20}$/) },
);

export const identities: fc.Arbitrary<Identity> = plain({
  namespace: usually('default', part),
  group: usually('default', fc.oneof(part, fc.constant('DEFAULT_GROUP'))),
  service,
  version: usually('', part),
});

const host: fc.Arbitrary<string> = fc.oneof(
  fc.domain(),
  fc.ipV4(),
  fc.ipV6(),
  fc.constantFrom('fe80::1%eth0', 'no-address.invalid', 'bücher.example', 'x'.repeat(255)),
);

const address: fc.Arbitrary<Address> = plain({
  protocol: fc.constantFrom('http', 'https', 'rsocket', 'dubbo', 'tri', 'h2c+x'),
  host,
  port: fc.integer({ min: 0, max: 65_535 }),
});

const contractRef: fc.Arbitrary<ContractRef> = plain({
  name: fc.stringMatching(/^[a-z][a-z0-9.-]{0,20}$/),
  version: fc.nat(100),
  hash: fc.oneof(fc.constant(''), fc.base64String({ maxLength: 44 })),
});

const instant: fc.Arbitrary<number> = fc.oneof(
  fc.constantFrom(0, 1_700_000_000_000, Number.MAX_SAFE_INTEGER),
  fc.maxSafeNat(),
);

const lease: fc.Arbitrary<LeaseTerms> = plain({
  renewEveryMs: fc.oneof(fc.constantFrom(5_000, 30_000), fc.integer({ min: 1, max: 300_000 })),
  lastsMs: fc.oneof(fc.constantFrom(15_000, 90_000), fc.integer({ min: 1, max: 3_600_000 })),
});

const weight: fc.Arbitrary<number> = fc.oneof(
  fc.constantFrom(0, 1, 2, 0.1, 0.07, 1.5, 1e-7, 1e21),
  fc.double({ min: 0, noNaN: true, noDefaultInfinity: true }).map((value) => value + 0),
);

const metadata: fc.Arbitrary<Readonly<Record<string, string>>> = fc
  .array(
    fc.tuple(
      fc.oneof(fc.constantFrom(...loadedNames), text(20), fc.nat(30).map(String)),
      fc.oneof(fc.constantFrom(...loadedTexts), text(60), fc.nat(200).map(String)),
    ),
    { maxLength: 10 },
  )
  .map((entries) => Object.fromEntries(entries));

const status: fc.Arbitrary<InstanceStatus> = fc.constantFrom(...instanceStatuses);

/** Any valid instance without bags: every dialect must carry all of it. */
export const instances: fc.Arbitrary<Instance> = fc.record(
  {
    id: fc.oneof(printable, fc.constantFrom('a/b', 'h1:8080', 'x#1&=')),
    identity: identities,
    incarnation: instant,
    addresses: fc.array(address, { maxLength: 4 }),
    contracts: fc.array(contractRef, { maxLength: 3 }),
    status,
    override: status,
    zone: printable,
    cluster: fc.oneof(printable, fc.constant('DEFAULT')),
    weight,
    lease,
    startedAt: instant,
    revision: fc.oneof(fc.constant(0), fc.maxSafeNat()),
    metadata,
    bags: fc.constant({}),
  },
  {
    noNullPrototype: true,
    requiredKeys: [
      'id',
      'identity',
      'incarnation',
      'addresses',
      'contracts',
      'status',
      'weight',
      'revision',
      'metadata',
      'bags',
    ],
  },
);

/** The default half of the time, so that it is met together with everything else. */
function usually(value: string, other: fc.Arbitrary<string>): fc.Arbitrary<string> {
  return fc.oneof(fc.constant(value), other);
}
