import { type Component, FlotillaError, formatHostPort, type Instance, type Registration } from '@flotilla/core';
import type { HttpListener } from '@flotilla/http';
import type { AppParts } from '../app.ts';
import { callersNoticed } from '../drain-notice.ts';
import type { ServiceConfig } from '../platform-settings.ts';
import { contractsOf, describeInstance, documentsOf } from './describe-instance.ts';
import { protocolOf } from './listener.ts';
import type { ServiceRuntime } from './service-runtime.ts';

/** What others find the application by: registered once it listens; at the stop callers hear of it before anything closes. */
export function registrationOf<S>(
  parts: AppParts<S>,
  now: () => ServiceConfig<S>,
  runtime: ServiceRuntime,
  listener: () => HttpListener,
): { readonly component: Component; readonly instance: () => Instance; refresh(): void } {
  let instance: Instance | undefined;
  let registration: Registration | undefined;
  const present = (): Instance => {
    if (!instance) throw new FlotillaError('UNAVAILABLE', `service "${parts.name}" is not registered yet`);
    return instance;
  };
  const component: Component = {
    name: 'registration',
    async start() {
      const config = now();
      const { port, host: bound } = listener(); // a socket that was handed over need not be where `bind` says
      const { host, reason } = runtime.advertise(bound, config.advertise);
      const protocol = protocolOf(config, runtime);
      const beside = runtime.fast && config.transport !== 'http' ? [protocol === 'https' ? 'rsockets' : 'rsocket'] : [];
      instance = describeInstance(parts, config, runtime, { protocol, host, port }, beside);
      registration = runtime.discovery.registrar.register(instance, documentsOf(contractsOf(parts)));
      runtime.logger.info('registering', {
        instance: instance.id,
        address: formatHostPort({ host, port }),
        reason,
      });
      // Who says that it serves can be found: a predecessor that leaves now leaves no gap.
      await registration.announced;
    },
    async stop(reason) {
      runtime.health.drain();
      runtime.logger.info('draining', { instance: instance?.id, reason });
      await registration?.setStatus('draining');
      await callersNoticed(registration, now().drainNoticeMs, runtime.clock);
      await registration?.deregister();
    },
  };
  return {
    component,
    instance: present,
    refresh: () => void registration?.setWeight(now().weight),
  };
}
