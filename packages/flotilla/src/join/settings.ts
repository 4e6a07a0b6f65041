import { group, integer, type Settings, settings, text } from '@flotilla/config';
import { type PlatformConfig, type SettingsOf, serviceSettings } from '../platform-settings.ts';

/** How an app that joined is asked whether it is well. */
export interface HealthConfig {
  /** Asked with GET; an answer 2xx is well. Absent: a connection that opens is. */
  readonly path: string | undefined;
  readonly intervalMs: number;
  readonly timeoutMs: number;
  readonly upAfter: number;
  readonly downAfter: number;
}

/** What an app that joins is told: what a service is told, without what only a process of ours could obey. */
export interface JoinConfig extends Omit<PlatformConfig, 'maxBodyBytes' | 'placement' | 'server' | 'transport'> {
  readonly health: HealthConfig;
}

const { maxBodyBytes: _, server: __, transport: ___, placement: ____, ...shared } = serviceSettings;

/** Keys of an app that joins; its part of `flotilla.yaml` is `services.<name>`. */
export const joinSettings: SettingsOf<JoinConfig> = {
  ...shared,
  bind: text({
    default: '127.0.0.1',
    restart: true,
    describe: 'address that the app listens on, where a server object does not say it; health is asked there',
  }),
  port: integer({
    default: 0,
    min: 0,
    max: 65_535,
    restart: true,
    describe: 'port that the app listens on, where the code does not say it',
  }),
  health: group(
    {
      path: text({
        optional: true,
        restart: true,
        pattern: /^\/[^\s?#]*$/,
        describe: 'asked with GET, an answer 2xx is well; absent: a connection that opens is',
      }),
      intervalMs: integer({
        default: 5_000,
        min: 100,
        max: 600_000,
        restart: true,
        describe: 'between two checks; ± 20 %',
      }),
      timeoutMs: integer({
        default: 2_000,
        min: 10,
        max: 60_000,
        restart: true,
        describe: 'a check without an answer for so long failed',
      }),
      upAfter: integer({
        default: 2,
        min: 1,
        max: 100,
        restart: true,
        describe: 'good checks in a row after which it is up again',
      }),
      downAfter: integer({
        default: 3,
        min: 1,
        max: 100,
        restart: true,
        describe: 'failed checks in a row after which it is down',
      }),
    },
    { describe: 'how the app is asked whether it is well' },
  ),
};

export const joinSchema: Settings<JoinConfig> = settings(joinSettings) as unknown as Settings<JoinConfig>;
