import type { RouteDocument } from './route-document.ts';

/** What a change of the routes did. */
export interface AppliedTable {
  /** Rises by one with each table that was applied; the empty table of a new gateway is 0. */
  readonly version: number;
  /** Number of routes now. */
  readonly routes: number;
  /** Ids, in the order of the document. */
  readonly added: readonly string[];
  readonly changed: readonly string[];
  readonly removed: readonly string[];
}

/** Compares two documents by their routes' ids. */
export function describeChange(version: number, before: RouteDocument, after: RouteDocument): AppliedTable {
  const old = new Map(before.routes.map((route) => [route.id, JSON.stringify(route)]));
  const ids = new Set(after.routes.map(({ id }) => id));
  return {
    version,
    routes: after.routes.length,
    added: after.routes.filter(({ id }) => !old.has(id)).map(({ id }) => id),
    changed: after.routes
      .filter((route) => old.has(route.id) && old.get(route.id) !== JSON.stringify(route))
      .map(({ id }) => id),
    removed: before.routes.filter(({ id }) => !ids.has(id)).map(({ id }) => id),
  };
}
