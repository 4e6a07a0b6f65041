/**
 * Loaded before a service (`node --import`): tells whoever started it about the steps of its orders, and ends the process
 * at the step that `CRASH_AT` names, as `kill -9` or a power cut would: no handler runs, nothing is flushed.
 */
import { subscribe } from 'node:diagnostics_channel';

const crashAt = process.env['CRASH_AT'];

subscribe('shop.order.step', (message) => {
  const { step } = message as { readonly step: string };
  if (step === crashAt) process.kill(process.pid, 'SIGKILL');
  process.send?.({ shop: step });
});

// Whoever started it is gone: nobody would ever end it.
process.on('disconnect', () => process.exit());
