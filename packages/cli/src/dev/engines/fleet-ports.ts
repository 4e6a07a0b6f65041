import type { Fleet } from '../../fleet.ts';
import type { FleetPorts } from '../plan.ts';
import { freePort } from './free-port.ts';

/** Finds a port for every process of a fleet; one that is taken is replaced by the next free one, and `print` says so. */
export async function findPorts(fleet: Fleet, print: (text: string) => void): Promise<FleetPorts> {
  const ports: FleetPorts = { of: new Map() };
  await addPorts(ports, 'registry', fleet.registryPort, print);
  await addPorts(ports, 'gateway', fleet.gatewayPort, print);
  await addServicePorts(fleet, ports, print);
  return ports;
}

/** Finds ports for the copies of services that have none yet. */
export async function addServicePorts(fleet: Fleet, ports: FleetPorts, print: (text: string) => void): Promise<void> {
  for (const { name, instances, port } of fleet.services) {
    for (let copy = 1; copy <= instances; copy++) {
      const title = `${name}.${copy}`;
      if (!ports.of.has(title)) await addPorts(ports, title, port === 0 ? 0 : port + copy - 1, print);
    }
  }
}

async function addPorts(
  { of }: FleetPorts,
  title: string,
  wanted: number,
  print: (text: string) => void,
): Promise<void> {
  const taken = new Set([...of.values()].flatMap(({ port, management }) => [port, management]));
  const take = async (preferred: number): Promise<number> => {
    const port = await freePort('127.0.0.1', preferred, taken);
    taken.add(port);
    if (preferred !== 0 && port !== preferred) print(`port ${preferred} is taken; ${title} takes ${port}`);
    return port;
  };
  of.set(title, { port: await take(wanted), management: await take(0) });
}
