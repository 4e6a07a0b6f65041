import { FlotillaError } from '@flotilla/core';
import { Argument, Command, Option } from 'commander';
import type { Addition } from './add/plan-addition.ts';
import type { Output } from './commands/output.ts';
import { managementOf, runningFleet } from './engines/running-fleet.ts';
import { ownVersion } from './engines/version.ts';

const print = (text: string): void => void process.stdout.write(`${text}\n`);

interface CommonOptions {
  readonly json?: boolean;
  readonly folder: string;
}

interface AddOptions extends CommonOptions {
  readonly auth?: 'public' | 'required';
  readonly dryRun?: boolean;
}

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

inspecting('call', 'call an operation: flotilla call catalog.product --id rice-bowl')
  .argument('<contract.operation>')
  .argument('[fields...]', 'input fields, as --name value')
  .allowUnknownOption()
  .passThroughOptions()
  .action(async (operation: string, fields: string[], options: CommonOptions) => {
    const { call } = await import('./commands/call.ts');
    // Options after the operation's name are its fields; --json alone is ours wherever it stands.
    const own = fields.filter((field) => field !== '--json');
    const output = { print, json: options.json === true || own.length < fields.length };
    await call(runningFleet(options.folder), operation, own, output);
  });

inspecting('config', 'show each value of a running process and where it came from')
  .argument('<process>', 'registry, gateway, or the name of a service')
  .action(async (name: string, options: CommonOptions) => {
    const { config } = await import('./commands/config.ts');
    await config(managementOf(runningFleet(options.folder), name).managementUrl, outputOf(options));
  });

inspecting('openapi', 'print the OpenAPI 3.1 document of a running service')
  .argument('<service>')
  .action(async (name: string, options: CommonOptions) => {
    const { openapi } = await import('./commands/openapi.ts');
    await openapi(managementOf(runningFleet(options.folder), name).managementUrl, name, outputOf(options));
  });

const registryCommand = inspecting('registry', 'show what the registry lists')
  .option('--url <url>', 'of a registry that "flotilla dev" did not start')
  .action(async (options: CommonOptions & { readonly url?: string }) => {
    const { registry } = await import('./commands/registry.ts');
    await registry(options.url ?? runningFleet(options.folder).registry, outputOf(options));
  });
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
  const data = thrown.data === undefined || !thrown.fromPeer ? '' : `\n${JSON.stringify(thrown.data)}`;
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
