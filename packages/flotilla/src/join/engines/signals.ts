import { supervisedProcess } from '../../engines/process/supervised.ts';
import type { JoinLog } from '../log.ts';

const signals = ['SIGTERM', 'SIGINT'] as const;
type Signal = (typeof signals)[number];
type Listener = (...args: unknown[]) => void;

/** How signals are answered. */
export interface SignalOptions {
  readonly leave: (signal: string) => Promise<void>;
  /** What ending at once gives up. */
  readonly inHand: () => string;
  readonly log: JoinLog;
}

/**
 * Answers SIGTERM and SIGINT for an app that joined.
 * 1. Handlers that the app has, or adds later, wait: they close its server, and callers would still be sent there.
 * 2. The first signal: the app leaves the fleet; then its own handlers run, with the signal. Without any, the process
 *    ends with 0.
 * 3. A second signal ends it at once with 1, and says what was lost.
 *
 * Exceptions that nobody caught stay the app's own affair.
 * @returns gives the signals back to the app's own handlers.
 */
export function answerSignals({ leave, inHand, log }: SignalOptions): () => void {
  const waiting: Record<Signal, Listener[]> = { SIGTERM: [], SIGINT: [] };
  let leaving = false;
  let adopting = false;
  const onSignal = (signal: Signal): void => {
    if (leaving) {
      const lost = inHand();
      log.secondSignal({ signal, lost: lost === '' ? 'nothing' : lost });
      process.exit(1);
    }
    leaving = true;
    void leave(signal)
      .catch((cause: unknown) => log.appStopFailed(cause))
      .then(() => runOwn(signal, waiting[signal], log));
  };
  for (const signal of signals) for (const listener of takeAll(signal)) waiting[signal].push(listener);
  const port = supervisedProcess();
  port.on('SIGTERM', () => onSignal('SIGTERM'));
  port.on('SIGINT', () => onSignal('SIGINT'));
  const ours = new Map(signals.map((signal) => [signal, process.rawListeners(signal)]));
  const adopt = (event: string | symbol, listener: Listener): void => {
    const signal = signals.find((known) => known === event);
    if (signal === undefined || leaving) return;
    queueMicrotask(() => {
      if (!adopting) return;
      process.removeListener(signal, listener);
      waiting[signal].push(listener);
    });
  };
  adopting = true;
  process.on('newListener', adopt);
  return () => {
    adopting = false;
    process.removeListener('newListener', adopt);
    for (const signal of signals) {
      for (const listener of ours.get(signal) ?? []) process.removeListener(signal, listener as Listener);
      for (const listener of waiting[signal]) process.on(signal, listener);
    }
  };
}

function takeAll(signal: Signal): Listener[] {
  const listeners = process.rawListeners(signal) as Listener[];
  for (const listener of listeners) process.removeListener(signal, listener);
  return listeners;
}

function runOwn(signal: Signal, listeners: readonly Listener[], log: JoinLog): void {
  if (listeners.length === 0) process.exit(0);
  for (const listener of listeners) {
    try {
      listener.call(process, signal, signal === 'SIGTERM' ? 15 : 2);
    } catch (cause) {
      log.handlerFailed({ signal, cause });
    }
  }
}
