import type { Lease } from '@flotilla/registry';
import type { EurekaAction, EurekaInstance } from '../document.ts';
import type { Format } from '../formats.ts';
import type { ApplicationEntry, Recent, Segment, Written } from './application-entry.ts';
import type { ApplicationsIndex } from './applications-index.ts';
import type { Chunk } from './chunks.ts';
import { type ListChunk, type Section, sectionText } from './list-writer.ts';
import { ended, listed } from './listing.ts';

/** What of a segment stands in a list. */
interface Kind {
  readonly name: string;
  /** Whose change makes it another text. */
  readonly keptFor: keyof Written<unknown>;
  /** How many instances. */
  size(segment: Segment): number;
  /** Them, as they are at this moment. */
  take(segment: Segment, lease: (id: string) => Lease | undefined): Taken[];
}

/** An instance as it is to be written. */
interface Taken {
  readonly lease: Lease;
  /** Absent: as what happened to it last. */
  readonly action?: EurekaAction;
  /** Wall time; absent: it has not gone. */
  readonly goneAt?: number;
}

/** All that are listed. */
const everybody: Kind = {
  name: 'everybody',
  keptFor: 'full',
  size: ({ statuses }) => statuses.size,
  take: ({ statuses }, leaseOf) => {
    const leases = Array.from(statuses.keys(), leaseOf);
    return leases.flatMap((lease) => (lease ? { lease } : []));
  },
};

/** The same, told to those who may know them already. */
const everybodyAgain: Kind = {
  name: 'again',
  keptFor: 'delta',
  size: everybody.size,
  take: (segment, leaseOf) =>
    everybody.take(segment, leaseOf).map(({ lease }) => {
      return { lease, action: actionOf(segment.recent.get(lease.instance.id)) };
    }),
};

/** Those that are listed and changed lately. */
const changed: Kind = {
  name: 'changed',
  keptFor: 'delta',
  size: (segment) => recentOf(segment, true).length,
  take: (segment, leaseOf) =>
    recentOf(segment, true).flatMap((recent) => {
      const lease = leaseOf(recent.id);
      return lease ? { lease, action: actionOf(recent) } : [];
    }),
};

/** Those that went lately. */
const gone: Kind = {
  name: 'gone',
  keptFor: 'delta',
  size: (segment) => recentOf(segment, false).length,
  take: (segment) =>
    recentOf(segment, false).flatMap(({ last }) =>
      last.endedLease ? { lease: last.endedLease, goneAt: last.changedAt } : [],
    ),
};

/** What stands in a list: in each application one kind after the other. */
export type Content = 'everybody' | 'changes' | 'everybody and who has gone';

const kindsOf: Readonly<Record<Content, readonly Kind[]>> = Object.freeze({
  everybody: [everybody],
  changes: [gone, changed],
  'everybody and who has gone': [gone, everybodyAgain],
});

/** A chunk of applications in a list. */
export function listChunk(index: ApplicationsIndex, chunk: Chunk, format: Format, content: Content): ListChunk {
  return {
    key: `${format.name} ${content}`,
    written: content === 'everybody' ? chunk.written.full : chunk.written.delta,
    sections: () =>
      Array.from(chunk.applications.values(), (one) => sectionsOf(index, one, format, kindsOf[content])).flat(),
  };
}

function sectionsOf(
  index: ApplicationsIndex,
  application: ApplicationEntry,
  format: Format,
  kinds: readonly Kind[],
): Section[] {
  const { name, segments } = application;
  const filled = kinds.flatMap((kind) =>
    segments.map((segment) => ({ kind, segment, size: kind.size(segment) })).filter(({ size }) => size > 0),
  );
  return filled.map(({ kind, segment, size }, position) => {
    const place = { starts: position === 0, ends: position === filled.length - 1 };
    return {
      key: `${format.name} ${kind.name} ${place.starts} ${place.ends}`,
      written: segment.written[kind.keptFor],
      size,
      capture: () => {
        const taken = kind.take(segment, (id) => index.lease(application, id));
        return () =>
          sectionText(
            format,
            name,
            taken.map((one) => format.instance(documentOf(one))),
            place,
          );
      },
    };
  });
}

function documentOf({ lease, action, goneAt }: Taken): EurekaInstance {
  return goneAt === undefined ? listed(lease, action) : ended(lease, goneAt);
}

/** Who is new is ADDED; whoever else there is may be known to the reader, and is MODIFIED. */
function actionOf(recent: Recent | undefined): EurekaAction {
  return recent?.isNew ? 'ADDED' : 'MODIFIED';
}

function recentOf({ recent, statuses }: Segment, isListed: boolean): Recent[] {
  if (recent.size === 0) return [];
  return Array.from(recent.values()).filter(
    ({ id, last }) => statuses.has(id) === isListed && (isListed || last.endedLease),
  );
}
