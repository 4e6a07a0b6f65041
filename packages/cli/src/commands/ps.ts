import type { FleetProcess, FleetState } from '../dev/state-file.ts';
import { fetchUrl } from '../engines/http-get.ts';
import { formatTable } from '../table.ts';
import { type Output, show } from './output.ts';

/** The processes of a running fleet, each asked now whether it is ready. */
export async function ps(state: FleetState, output: Output): Promise<void> {
  const processes = await Promise.all(
    state.processes.map(async (process) => ({ ...process, ready: await readinessOf(process) })),
  );
  show(output, { ...state, processes }, () =>
    formatTable([
      ['NAME', 'STATE', 'READY', 'PID', 'URL', 'MANAGEMENT'],
      ...processes.map(({ title, state: words, ready, pid, url, managementUrl }) => [
        title,
        words,
        ready,
        pid === null ? '-' : String(pid),
        url ?? '-',
        managementUrl ?? '-',
      ]),
    ]),
  );
}

async function readinessOf({ managementUrl }: FleetProcess): Promise<string> {
  if (managementUrl === null) return 'no';
  try {
    const { status } = await fetchUrl(`${managementUrl}/health/ready`);
    return status === 200 ? 'yes' : 'no';
  } catch {
    return 'no answer';
  }
}
