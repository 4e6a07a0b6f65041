import type { Component } from '@flotilla/core';
import type { AppParts } from '../app.ts';
import { type Copy, runInCopy } from '../copies.ts';

/** Opens what the application declared with `resource()`, and closes it. */
export function resourceComponent<S>(resource: AppParts<S>['resources'][number], copy: Copy, settings: S): Component {
  const { name, values } = resource;
  return {
    name,
    async start() {
      values.set(copy, { opened: await runInCopy(copy, () => resource.start(settings)) });
    },
    async stop() {
      const value = values.get(copy);
      values.delete(copy);
      if (value) await runInCopy(copy, () => resource.stop(value.opened));
    },
  };
}
