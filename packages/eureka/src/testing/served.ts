import { Call } from '@flotilla/core';
import { ManualClock, seededRandom, settle } from '@flotilla/core/testing';
import { HttpHeaders, pathFromText, readBody } from '@flotilla/http';
import { memoryNetwork } from '@flotilla/http/memory';
import { createRegistry, type Registry, type RegistryOptions, type RegistryUser } from '@flotilla/registry/server';
import { type EurekaServerOptions, eurekaHandler } from '../server/routes.ts';

/** What a request carries. */
export interface Sent {
  /** Its body, as JSON unless `headers` name another type; text is sent as it is. */
  readonly json?: unknown;
  /** `accept` is `application/json` by default; `''` is as none. */
  readonly headers?: Readonly<Record<string, string>>;
}

/** A registry served to Eureka's clients under a clock that a test moves. */
export interface Served {
  readonly clock: ManualClock;
  readonly registry: Registry;
  /** @param line `GET /eureka/apps`. */
  send(
    line: string,
    sent?: Sent,
  ): Promise<{ readonly status: number; readonly headers: HttpHeaders; readonly bytes: Buffer; readonly text: string }>;
  stop(): Promise<void>;
}

export async function served(
  users?: readonly RegistryUser[],
  options: Partial<RegistryOptions> & { readonly clock?: ManualClock } = {},
  dialect: EurekaServerOptions = {},
): Promise<Served> {
  const { clock = new ManualClock(), ...rest } = options;
  const random = seededRandom(1);
  const registry = createRegistry({ clock, random, ...rest });
  await registry.start();
  const network = memoryNetwork({ clock, random });
  const listener = await network.listen(
    { host: 'registry', port: 8761 },
    eurekaHandler(registry, { users, ...dialect }),
  );
  const endpoint = network.connect({ protocol: 'http', host: 'registry', port: 8761 });
  return {
    clock,
    registry,
    async send(line, { json, headers = {} } = {}) {
      const [method = '', target = ''] = line.split(' ');
      const [path = '', query = ''] = target.split('?');
      const fields = new HttpHeaders(Object.entries(headers));
      if (!fields.has('accept')) fields.set('accept', 'application/json');
      if (json !== undefined && !fields.has('content-type')) fields.set('content-type', 'application/json');
      const body = json === undefined ? undefined : Buffer.from(typeof json === 'string' ? json : JSON.stringify(json));
      const call = new Call({ clock, random });
      const request = { method, authority: 'registry:8761', path: pathFromText(path), query, headers: fields, body };
      const response = await endpoint.handle(request, call);
      const bytes = Buffer.from(await readBody(response.body, 1_000_000, call));
      return { status: response.status, headers: response.headers, bytes, text: bytes.toString() };
    },
    async stop() {
      await registry.stop('test');
      await Promise.all([listener.drain(0), clock.advance(0), settle()]);
    },
  };
}

/** What Spring's default client sends at start (RestTemplate, Spring Cloud 2025.0), as recorded; its times at `dirty`. */
export function registration(dirty: number, changes: Record<string, unknown> = {}): { readonly instance: object } {
  return {
    instance: {
      instanceId: '127.0.0.1:order-service:18720',
      app: 'ORDER-SERVICE',
      appGroupName: null,
      ipAddr: '10.0.0.51',
      sid: 'na',
      homePageUrl: 'http://127.0.0.1:18720/',
      statusPageUrl: 'http://127.0.0.1:18720/actuator/info',
      healthCheckUrl: 'http://127.0.0.1:18720/actuator/health',
      secureHealthCheckUrl: null,
      vipAddress: 'order-service',
      secureVipAddress: 'order-service',
      countryId: 1,
      dataCenterInfo: { '@class': 'com.netflix.appinfo.InstanceInfo$DefaultDataCenterInfo', name: 'MyOwn' },
      hostName: '127.0.0.1',
      status: 'UP',
      overriddenStatus: 'UNKNOWN',
      leaseInfo: {
        renewalIntervalInSecs: 3,
        durationInSecs: 90,
        registrationTimestamp: 0,
        lastRenewalTimestamp: 0,
        evictionTimestamp: 0,
        serviceUpTimestamp: 0,
      },
      isCoordinatingDiscoveryServer: false,
      lastUpdatedTimestamp: dirty - 664,
      lastDirtyTimestamp: dirty,
      actionType: null,
      asgName: null,
      port: { $: 18_720, '@enabled': 'true' },
      securePort: { $: 443, '@enabled': 'false' },
      metadata: { zone: 'zone-a', 'management.port': '18720' },
      ...changes,
    },
  };
}
