import type { Component } from '@flotilla/core';
import type { ServiceRuntime } from './service-runtime.ts';

/** Stopped before the clients, after the registration: nothing is looked up or registered any more. */
export function discoveryComponent({ discovery }: Pick<ServiceRuntime, 'discovery'>): Component {
  return { name: 'discovery', start: async () => {}, stop: () => discovery.close() };
}
