import type { Call, Instance } from '@flotilla/core';
import type { HttpResponse } from '@flotilla/http';
import type { GuardedRequest } from '@flotilla/registry/server';
import type { DocumentType } from '../server/negotiation.ts';
import type { ReplicationAction } from './items.ts';

/** A request for a document of a type that is written here. */
export interface AskedByPeer extends GuardedRequest {
  readonly type: DocumentType;
}

/** What a registry does for its peers; each answers whoever may replicate. */
export interface PeerResources {
  batch(asked: AskedByPeer): Promise<HttpResponse>;
  fingerprints(asked: AskedByPeer): Promise<HttpResponse>;
  instances(asked: AskedByPeer): Promise<HttpResponse>;
  /** One task that a peer sends by itself. */
  task(action: Exclude<ReplicationAction, 'Register'>, asked: AskedByPeer): Promise<HttpResponse>;
  /** What a peer registers by itself. */
  adopt(instance: Instance, call: Call): void;
}
