import type { Component, Logger } from '@flotilla/core';
import type { AppParts } from '../app.ts';
import { type Copy, runInCopy } from '../copies.ts';
import type { ServiceConfig } from '../platform-settings.ts';

/** What the application was set to, for as long as it runs. */
export function settingsComponent<S>({ settings }: AppParts<S>, copy: Copy, now: () => ServiceConfig<S>): Component {
  return {
    name: 'settings',
    async start() {
      settings.now.set(copy, { values: now().settings });
    },
    async stop() {
      settings.now.delete(copy);
    },
  };
}

/** Swaps the settings, then tells everybody who wants to hear of it, in the order in which they asked. */
export function refreshSettings<S>({ name, settings }: AppParts<S>, copy: Copy, values: S, logger: Logger): void {
  const before = settings.now.get(copy)?.values;
  if (before === undefined || before === values) return;
  settings.now.set(copy, { values });
  for (const listener of settings.listeners) {
    void runInCopy(copy, async () => listener(values, before)).catch((cause: unknown) =>
      logger.error('a listener of the settings failed; the new settings count all the same', { name, cause }),
    );
  }
}
