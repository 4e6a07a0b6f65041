import { hashText } from '../picks/ring.ts';
import type { SubsetSettings } from '../settings.ts';
import type { Kept, Ruled } from './rule.ts';

/**
 * The part of a large service that one caller goes to: the same for the same instances, whatever their order, and with few
 * changes when they change.
 *
 * Without a seat each caller ranks the instances by a hash of both and takes the first ones (rendezvous hashing): of those
 * that come and go it notices only those that it has, or would have, and each instance has equally many callers on
 * average. With a seat the callers of a round share the instances out without a rest: all have equally many, give or take
 * one (after "Site Reliability Engineering", chapter 20, with an order that a coming or going instance moves by one place).
 */
export function subset<M extends Ruled>(
  members: readonly M[],
  { size, seat }: SubsetSettings,
  caller: string,
): Kept<M> {
  if (size === 0 || members.length <= size) return { kept: members, leftOut: [] };
  const parts = Math.floor(members.length / size);
  const order = seat < 0 ? caller : `round ${Math.floor(seat / parts)}`;
  const ranked = members
    .map((member) => ({ member, rank: hashText(`${order} ${member.instance.id}`) }))
    .sort((a, b) => a.rank - b.rank || (a.member.instance.id < b.member.instance.id ? -1 : 1));
  const part = seat < 0 ? 0 : seat % parts;
  const [from, to] = seat < 0 ? [0, size] : [part, part + 1].map((each) => Math.floor((each * members.length) / parts));
  const chosen = new Set(ranked.slice(from, to).map(({ member }) => member));
  return {
    kept: members.filter((member) => chosen.has(member)),
    leftOut: members.filter((member) => !chosen.has(member)),
  };
}
