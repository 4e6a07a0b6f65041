import { FlotillaError, type InstanceStatus, instanceStatuses, systemClock } from '@flotilla/core';
import { Argument, Command, Option } from 'commander';
import type { Addition } from './add/plan-addition.ts';
import type { Output } from './commands/output.ts';
import type { WatchParts } from './commands/watch.ts';
import type { Caller } from './commands/why.ts';
import { createPrinter } from './engines/printer.ts';
import type { RegistryApi } from './engines/registry-api.ts';
import { managementOf, runningFleet } from './engines/running-fleet.ts';
import { ownVersion } from './engines/version.ts';

const { print, unread } = createPrinter(process.stdout, (reason) => {
  process.stderr.write(`what this command says cannot be written: ${reason}\n`);
  process.exitCode = 1;
});

interface CommonOptions {
  readonly json?: boolean;
  readonly folder: string;
}

interface RegistryOptions extends CommonOptions {
  readonly url?: string;
}

interface WhyOptions extends CommonOptions {
  readonly from?: string;
  readonly management?: string;
}

interface BackupOptions extends CommonOptions {
  readonly snapshotFile: string;
}

interface AddOptions extends CommonOptions {
  readonly auth?: 'public' | 'required';
  readonly dryRun?: boolean;
}

/** What a shell takes for "ended by Ctrl-C": 128 + SIGINT. */
const interruptedCode = 130;

const kinds: readonly Addition['kind'][] = ['service', 'edge'];
const audiences = ['public', 'required'];

const program = new Command('flotilla')
  .description('Runs a fleet of services, and shows what runs.')
  .version(ownVersion())
  .showSuggestionAfterError()
  .enablePositionalOptions();

// Each command loads what it needs when it is called: most need little, and `dev` has others to start.
program
  .command('dev')
  .description('run the fleet of flotilla.yaml: registry, gateway and every service, each a process of its own')
  .argument('[folder]', 'where flotilla.yaml lies', '.')
  .option('--json', 'logs and start table as JSON, one document per line')
  .action(async (folder: string, { json = false }: CommonOptions) => {
    const { runFleet } = await import('./dev/engines/dev.ts');
    await runFleet(folder, { json, print, colours: coloursWanted() });
  });

program
  .command('add')
  .description('add a service to a fleet, with its contract and its test')
  .addArgument(new Argument('<kind>', 'service: a backend; edge: a front-end service with a route').choices(kinds))
  .argument('<name>', 'lower-case words with hyphens: order-desk')
  .addOption(new Option('--auth <who>', 'who may call an edge service from outside').choices(audiences))
  .option('--folder <folder>', 'where flotilla.yaml lies', '.')
  .option('--dry-run', 'write nothing, show what would be written')
  .option('--json', 'one JSON document')
  .action(async (kind: Addition['kind'], name: string, options: AddOptions) => {
    const { add } = await import('./commands/add.ts');
    add(options.folder, { kind, name, auth: options.auth }, options.dryRun === true, outputOf(options));
  });

inspecting('ps', 'show the processes of the running fleet').action(async (options: CommonOptions) => {
  const { ps } = await import('./commands/ps.ts');
  await ps(runningFleet(options.folder), outputOf(options));
});

asking('call', 'call an operation: flotilla call catalog.product --id rice-bowl')
  .option('--service <name>', 'the service to call; default: whichever serves the contract')
  .argument('<contract.operation>', 'catalog.product, catalog@2.product')
  .argument('[fields...]', 'input fields, as --name value; or the whole input as JSON, \'{"id":"rice-bowl"}\'')
  .addHelpText(
    'after',
    '\nElements of a stream are printed as they come, a JSON document on each line. An operation that takes many reads them so\nfrom the standard input. Ctrl-C cancels the call.',
  )
  .allowUnknownOption()
  .passThroughOptions()
  .action(async (operation: string, fields: string[], options: RegistryOptions & { readonly service?: string }) => {
    const [{ call }, { fleetClient }] = await Promise.all([
      import('./commands/call.ts'),
      import('./engines/fleet-client.ts'),
    ]);
    // Options after the operation's name are its fields; --json alone is ours wherever it stands.
    const own = fields.filter((field) => field !== '--json');
    const output = { print, json: options.json === true || own.length < fields.length };
    const { client, close } = await fleetClient(registryOf(options));
    const { signal: interrupted } = untilInterrupted();
    try {
      await call({ client, input: process.stdin, interrupted }, { service: options.service, operation }, own, output);
    } catch (thrown) {
      if (!interrupted.aborted) throw thrown;
      process.exitCode = interruptedCode;
    } finally {
      process.stdin.destroy(); // or it keeps this process until its end
      await close();
    }
  });

inspecting('config', 'show each value of a running process and where it came from')
  .argument('<process>', 'registry, gateway, or the name of a service')
  .action(async (name: string, options: CommonOptions) => {
    const { config } = await import('./commands/config.ts');
    await config(managementOf(runningFleet(options.folder), name).managementUrl, outputOf(options));
  });

inspecting('why', 'why calls of a service go to the instances that they go to: candidates, numbers, who is left out')
  .argument('<service>')
  .option('--from <process>', 'as this process sees it; default: every process of the fleet that calls it')
  .option('--management <url>', 'of a process elsewhere, with user and password where it wants them')
  .action(async (service: string, options: WhyOptions) => {
    const { why } = await import('./commands/why.ts');
    await why(callersOf(options), service, outputOf(options));
  });

inspecting('openapi', 'print the OpenAPI 3.1 document of a running service')
  .argument('<service>')
  .action(async (name: string, options: CommonOptions) => {
    const { openapi } = await import('./commands/openapi.ts');
    await openapi(managementOf(runningFleet(options.folder), name).managementUrl, name, outputOf(options));
  });

asking('services', 'the services that are registered').action(async (options: RegistryOptions) => {
  const { services } = await import('./commands/services.ts');
  await services(await apiOf(options), outputOf(options));
});

asking('instances', 'the instances that are registered')
  .argument('[service]', 'of this service only')
  .addOption(new Option('--status <status>', 'only those in this state').choices(instanceStatuses))
  .action(async (service: string | undefined, options: RegistryOptions & { readonly status?: string }) => {
    const { instances } = await import('./commands/instances.ts');
    await instances(await apiOf(options), { service, status: options.status }, outputOf(options));
  });

asking('watch', 'follow the registry: a line for each change, until it is stopped')
  .argument('[service]', 'of this service only')
  .action(async (service: string | undefined, options: RegistryOptions) => {
    const { watch } = await import('./commands/watch.ts');
    await watch(await apiOf(options), service, outputOf(options), untilInterrupted());
  });

operating('out-of-service', 'take instances out: nobody calls them any more, whatever they say', 'out-of-service');
operating('drain', 'let instances drain: no new calls, those in hand end', 'draining');
operating('back', 'take an operator\u2019s word back: what instances say of themselves counts again', undefined);

asking('evict', 'what is really gone: an instance, or what of a service fell silent and is held')
  .argument('<service>')
  .argument('[instance]', 'default: all of the service that fell silent and is held')
  .action(async (service: string, instance: string | undefined, options: RegistryOptions) => {
    const { evict } = await import('./commands/operate.ts');
    await evict(await apiOf(options), { service, instance }, outputOf(options));
  });

asking('contracts', 'which contracts there are, who serves and who calls them').action(
  async (options: RegistryOptions) => {
    const { contracts } = await import('./commands/contracts.ts');
    await contracts(await apiOf(options), outputOf(options));
  },
);

asking(
  'impact',
  'who calls an operation, and who breaks if it, or a field of it, goes: flotilla impact catalog.product out.price',
)
  .argument('<contract.operation>', 'catalog.product, catalog@2.product')
  .argument('[field]', 'out.price, in.items[].sku')
  .action(async (operation: string, field: string | undefined, options: RegistryOptions) => {
    const { impact } = await import('./commands/contracts.ts');
    await impact(await apiOf(options), operation, field, outputOf(options));
  });

const registryCommand = program.command('registry').description('run a registry, back its state up, restore it');
keeping('backup', 'write the state of a registry of this machine, which may run, into one file').action(
  async (file: string, { snapshotFile, ...options }: BackupOptions) => {
    const { backup } = await import('./commands/backup.ts');
    await backup(snapshotFile, file, outputOf(options));
  },
);

keeping('restore', 'put a backup where a registry that is stopped finds its state').action(
  async (file: string, { snapshotFile, ...options }: BackupOptions) => {
    const { restore } = await import('./commands/backup.ts');
    await restore(snapshotFile, file, outputOf(options));
  },
);

starting(registryCommand, 'run a registry', async (args) => {
  const { runRegistry } = await import('./roots/registry.ts');
  await runRegistry({ args });
});

const gatewayCommand = inspecting('gateway', 'show the routes of the running gateway').action(
  async (options: CommonOptions) => {
    const { gateway } = await import('./commands/gateway.ts');
    await gateway(managementOf(runningFleet(options.folder), 'gateway').managementUrl, outputOf(options));
  },
);
starting(gatewayCommand, 'run a gateway', async (args) => {
  const { runGateway } = await import('./roots/gateway.ts');
  await runGateway({ args });
});

try {
  await program.parseAsync();
} catch (thrown) {
  if (!(thrown instanceof FlotillaError)) throw thrown;
  const told = thrown.fromPeer || thrown.code === 'INVALID_INPUT'; // each field that is wrong
  const data = thrown.data === undefined || !told ? '' : `\n${JSON.stringify(thrown.data)}`;
  process.stderr.write(`${thrown.message}${data}\n`);
  process.exitCode = 1;
}

/** A command that looks at a running fleet. */
function inspecting(name: string, description: string): Command {
  return program
    .command(name)
    .description(description)
    .option('--json', 'one JSON document')
    .option('--folder <folder>', 'folder of the fleet', '.');
}

/** A command that asks a registry. */
function asking(name: string, description: string): Command {
  return inspecting(name, description).option(
    '--url <url>',
    'of the registry, with user and password (or token) where it wants them, several with commas; default: FLOTILLA_REGISTRY, else the fleet that runs here',
  );
}

/** A command by which an operator gives instances a status, or takes it back. */
function operating(name: string, description: string, status: InstanceStatus | undefined): void {
  asking(name, description)
    .argument('<service>')
    .argument('[instance]', 'may be left out where there is one only')
    .option('--all', 'every instance of the service')
    .action(
      async (service: string, instance: string | undefined, options: RegistryOptions & { readonly all?: boolean }) => {
        const { override } = await import('./commands/operate.ts');
        await override(await apiOf(options), { service, instance, all: options.all }, status, outputOf(options));
      },
    );
}

async function apiOf(options: RegistryOptions): Promise<RegistryApi> {
  const { RegistryApi } = await import('./engines/registry-api.ts');
  return new RegistryApi(registryOf(options));
}

function registryOf({ url, folder }: Pick<RegistryOptions, 'url' | 'folder'>): string {
  return url ?? process.env['FLOTILLA_REGISTRY'] ?? runningFleet(folder).registry;
}

/** Ctrl-C, and that nobody reads any more, end what follows something. */
function untilInterrupted(): WatchParts {
  const ended = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => ended.abort());
  unread.addEventListener('abort', () => ended.abort(), { once: true });
  return {
    signal: ended.signal,
    pause(ms) {
      const { promise, resolve } = Promise.withResolvers<void>();
      systemClock.setTimer(ms, resolve);
      ended.signal.addEventListener('abort', () => resolve(), { once: true });
      return promise;
    },
  };
}

/** Whose view of a service is asked for. */
function callersOf({ from, management, folder }: WhyOptions): readonly Caller[] {
  if (management !== undefined) return [{ name: new URL(management).host, managementUrl: management }];
  const fleet = runningFleet(folder);
  if (from !== undefined) return [managementOf(fleet, from)];
  return fleet.processes.flatMap(({ title, managementUrl }) =>
    managementUrl === null ? [] : { name: title, managementUrl },
  );
}

/** A command about the state of a registry on the disk of this machine. */
function keeping(name: string, description: string): Command {
  return registryCommand
    .command(name)
    .description(description)
    .argument('<file>', 'the backup')
    .option('--snapshot-file <path>', 'where the registry keeps its state', '.flotilla/state/registry.json')
    .option('--json', 'one JSON document');
}

/** `registry start --port=8761`: every key of the configuration is a flag. */
function starting(parent: Command, description: string, start: (args: readonly string[]) => Promise<void>): void {
  parent
    .command('start')
    .description(`${description}; every configuration key is a flag, --port=8761`)
    .argument('[flags...]')
    .allowUnknownOption()
    .helpOption(false)
    .action((flags: string[]) => start(flags));
}

function outputOf({ json = false }: CommonOptions): Output {
  return { print, json };
}

function coloursWanted(): boolean {
  const { env } = process;
  if (env['NO_COLOR']) return false;
  return Boolean(process.stdout.isTTY) || Boolean(env['FORCE_COLOR']);
}
