import type { MessagePort } from 'node:worker_threads';
import type { Instance } from '@flotilla/core';
import type { ServiceSource } from './placed-app.ts';

/** What the thread of a service is started with. */
export interface WorkerOrders extends ServiceSource {
  readonly log: { readonly level: 'debug' | 'info' | 'warn' | 'error'; readonly format: 'pretty' | 'json' };
}

/** What it is told. */
export type ToWorker =
  | { readonly kind: 'connection'; readonly port: MessagePort }
  | { readonly kind: 'stop'; readonly reason: string };

/** What it tells. */
export type FromWorker =
  /** What it says of itself; absent: it has left. */
  | { readonly kind: 'instance'; readonly instance: Instance | undefined }
  | { readonly kind: 'up' }
  /** Something of its configuration waits for the next start of the process. */
  | { readonly kind: 'outdated' }
  | { readonly kind: 'failed'; readonly code: string; readonly detail: string };
