import type { HttpResponse } from '@flotilla/http';
import type { DialBack, GuardedRequest, Registry } from '@flotilla/registry/server';
import type { PeerResources } from '../peers/peer-resources.ts';
import type { DeltaListing } from './delta.ts';
import type { FullListing } from './full-listing.ts';
import type { DocumentType } from './negotiation.ts';
import type { Replica } from './replica.ts';

/** What the handlers of one registry share. */
export interface EurekaContext {
  readonly registry: Registry;
  /** Connects to instances before they are listed as up. */
  readonly dialBack: DialBack | undefined;
  readonly full: FullListing;
  readonly delta: DeltaListing;
  /** For requests that name regions: Java's servers count those deltas by themselves. */
  readonly regionsDelta: DeltaListing;
  /** What this registry does for its peers. */
  readonly peers: PeerResources;
  /** The other servers that changes are passed on to. */
  readonly replicas: () => readonly Replica[];
}

/** A request of somebody known for a document of a type that is written here. */
export interface Asked extends GuardedRequest {
  readonly type: DocumentType;
}

export type Answerer = (context: EurekaContext, asked: Asked) => Promise<HttpResponse> | HttpResponse;
