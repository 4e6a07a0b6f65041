import { FlotillaError, formatHostPort, type Logger, type ProcessPort } from '@flotilla/core';
import { isLoopback } from '@flotilla/http';

/** What a process and the supervisor of `flotilla dev` tell each other over their channel. */

/** Did `flotilla dev` start this process? Whatever it did not start is production. */
export function isDevelopment(): boolean {
  return process.env['FLOTILLA_SUPERVISED'] === '1';
}

/**
 * Under a supervisor the stop comes over the channel to it. Ctrl-C reaches every process of a terminal, so here it is
 * left to the supervisor; a SIGTERM counts, and the supervisor's word after it says nothing new.
 */
export function supervisedProcess(): ProcessPort {
  if (!isDevelopment()) return process;
  process.on('SIGINT', () => {});
  return {
    on(event: string, listener: (thrown: unknown) => void) {
      if (event === 'SIGTERM') onStop(() => listener(event));
      else if (event !== 'SIGINT') process.on(event, listener);
    },
    exit: (code) => process.exit(code),
  };
}

function onStop(listener: () => void): void {
  let asked = false;
  process.on('SIGTERM', () => {
    asked = true;
    listener();
  });
  process.on('message', (message: unknown) => {
    const told =
      typeof message === 'object' && message !== null && 'flotilla' in message && message.flotilla === 'stop';
    if (!told || asked) return;
    asked = true;
    listener();
  });
}

/** Says where it serves, in the log and to the supervisor. */
export function announce(
  name: string,
  url: string,
  management: { readonly host: string; readonly port: number },
  logger: Logger,
): void {
  const managementUrl = `http://${formatHostPort(management)}`;
  logger.info('serving', { url, management: managementUrl, ...loopbackHint(url) });
  process.send?.({ flotilla: 'serving', name, url, managementUrl });
}

function loopbackHint(url: string): { readonly note?: string } {
  const { hostname } = new URL(url);
  return isLoopback(hostname) ? { note: 'only this machine can reach it; set "bind" to open it' } : {};
}

/** Says to the supervisor that something of the configuration waits for the next start. */
export function tellOutdated(): void {
  process.send?.({ flotilla: 'outdated' });
}

/** Says on stderr and to the supervisor why a process could not start. It ends with code 1. */
export function reportFailure(name: string, thrown: unknown): void {
  const error = thrown instanceof FlotillaError ? thrown : undefined;
  const message = error?.message ?? (thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown));
  process.stderr.write(`${name} could not start.\n${message}\n`);
  process.exitCode = 1;
  // Whoever only lets go of the channel would end with 0: a worker that is disconnected thinks that it was told to.
  process.send?.({ flotilla: 'failed', message }, () => process.exit(1));
}
