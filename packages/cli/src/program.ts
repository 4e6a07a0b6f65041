import { FlotillaError } from '@flotilla/core';
import { Command } from 'commander';
import { call } from './commands/call.ts';
import { config } from './commands/config.ts';
import { gateway } from './commands/gateway.ts';
import type { Output } from './commands/output.ts';
import { ps } from './commands/ps.ts';
import { registry } from './commands/registry.ts';
import { runFleet } from './dev/engines/dev.ts';
import { managementOf, runningFleet } from './engines/running-fleet.ts';
import { ownVersion } from './engines/version.ts';
import { runGateway } from './roots/gateway.ts';
import { runRegistry } from './roots/registry.ts';

const print = (text: string): void => void process.stdout.write(`${text}\n`);

interface CommonOptions {
  readonly json?: boolean;
  readonly folder: string;
}

const program = new Command('flotilla')
  .description('Runs a fleet of services, and shows what runs.')
  .version(ownVersion())
  .showSuggestionAfterError()
  .enablePositionalOptions();

program
  .command('dev')
  .description('run the fleet of flotilla.yaml: registry, gateway and every service, each a process of its own')
  .argument('[folder]', 'where flotilla.yaml lies', '.')
  .option('--json', 'logs and start table as JSON, one document per line')
  .action((folder: string, { json = false }: CommonOptions) =>
    runFleet(folder, { json, print, colours: coloursWanted() }),
  );

inspecting('ps', 'show the processes of the running fleet').action((options: CommonOptions) =>
  ps(runningFleet(options.folder), outputOf(options)),
);

inspecting('call', 'call an operation: flotilla call catalog.product --id rice-bowl')
  .argument('<contract.operation>')
  .argument('[fields...]', 'input fields, as --name value')
  .allowUnknownOption()
  .passThroughOptions()
  .action((operation: string, fields: string[], options: CommonOptions) => {
    // Options after the operation's name are its fields; --json alone is ours wherever it stands.
    const own = fields.filter((field) => field !== '--json');
    const output = { print, json: options.json === true || own.length < fields.length };
    return call(runningFleet(options.folder), operation, own, output);
  });

inspecting('config', 'show each value of a running process and where it came from')
  .argument('<process>', 'registry, gateway, or the name of a service')
  .action((name: string, options: CommonOptions) =>
    config(managementOf(runningFleet(options.folder), name).managementUrl, outputOf(options)),
  );

const registryCommand = inspecting('registry', 'show what the registry lists')
  .option('--url <url>', 'of a registry that "flotilla dev" did not start')
  .action((options: CommonOptions & { readonly url?: string }) =>
    registry(options.url ?? runningFleet(options.folder).registry, outputOf(options)),
  );
starting(registryCommand, 'run a registry', (args) => runRegistry({ args }));

const gatewayCommand = inspecting('gateway', 'show the routes of the running gateway').action(
  (options: CommonOptions) =>
    gateway(managementOf(runningFleet(options.folder), 'gateway').managementUrl, outputOf(options)),
);
starting(gatewayCommand, 'run a gateway', (args) => runGateway({ args }));

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
