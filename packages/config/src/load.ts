import { assertDistinctNames, flagName, formatKey, leavesOf, variableName } from './key-names.ts';
import { type EnvLayer, envLayer, type SecretFile } from './layers/env.ts';
import { type FitContext, fit } from './layers/fit.ts';
import { flagLayer } from './layers/flags.ts';
import { isPlain, masked, maskUrl, namesSecret } from './mask.ts';
import { Mistakes } from './mistakes.ts';
import { type ConfigNode, find, formatPlace, overlay, plainOf } from './node.ts';
import { type Origin, originsOf } from './origins.ts';
import { type ConfigSchema, jsonSchemaOf, validate } from './schema.ts';
import type { Issue } from './setting.ts';
import { type Shape, shapeOf } from './shape.ts';
import { readYaml } from './yaml.ts';

/** A configuration file that was read. */
export interface ConfigFile {
  /** As it is to be named in messages: `flotilla.yaml`. */
  readonly name: string;
  readonly text: string;
  /** The part of the file that counts: `['services', 'catalog', 'settings']`. Default: all of it. */
  readonly at?: readonly string[];
}

/** The layers above the schema's defaults. Each one wins over those before it. */
export interface Layers {
  /** Later files win over earlier ones. */
  readonly files?: readonly ConfigFile[];
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Command-line arguments, only those meant for the configuration: `['--http.port=8080']`. */
  readonly flags?: readonly string[];
  /** Default `FLOTILLA`: the variable of `port` is `FLOTILLA_PORT`. */
  readonly envPrefix?: string;
  /** Variables that begin with the prefix and are somebody else's. */
  readonly reserved?: readonly string[];
  /** What `readSecretFiles` found, for variables that end in `_FILE`. */
  readonly secretFiles?: ReadonlyMap<string, SecretFile>;
}

/** An effective configuration. */
export interface Loaded<T> {
  /** Frozen throughout. */
  readonly values: T;
  /** Each value with where it came from; secrets are masked. */
  readonly origins: readonly Origin[];
}

/**
 * Joins the layers defaults ← files ← environment ← flags and reads them by `schema`. Maps and groups are joined key by
 * key, lists are replaced. Null counts as absent. Pure: texts in, values out.
 * @throws FlotillaError CONFIG_INVALID listing every mistake with its place, the key, the value and what to do.
 * @throws TypeError when the schema itself is of no use (asynchronous, two keys with one name, no JSON Schema).
 */
export function loadConfig<T>(schema: ConfigSchema<T>, layers: Layers = {}): Loaded<T> {
  const shape = shapeOf(jsonSchemaOf(schema));
  assertDistinctNames(shape);
  const mistakes = new Mistakes();
  const root = joinLayers(shape, layers, mistakes);
  const result = validate(schema, fillGroups(root ? plainOf(root) : undefined, shape));
  if ('issues' in result) {
    const tell = issueTeller(shape, root, layers);
    for (const issue of result.issues) tell(issue, mistakes);
  }
  mistakes.throwIfAny();
  if ('issues' in result) throw new TypeError('the schema refused the configuration without saying why');
  return Object.freeze({
    values: freezePlain(result.value),
    origins: Object.freeze(originsOf(result.value, shape, root)),
  });
}

function joinLayers(shape: Shape, layers: Layers, mistakes: Mistakes): ConfigNode | undefined {
  const env: EnvLayer = {
    env: layers.env ?? {},
    prefix: layers.envPrefix ?? 'FLOTILLA',
    reserved: layers.reserved ?? [],
    secretFiles: layers.secretFiles ?? new Map(),
  };
  const written = [
    ...(layers.files ?? []).map((file) => fileLayer(file, mistakes)),
    envLayer(env, shape, mistakes),
    flagLayer(layers.flags ?? [], shape, mistakes),
  ];
  // What could not be read at all would only be reported again, as missing.
  mistakes.throwIfUnreadable();
  const context: FitContext = { mistakes, leaves: leavesOf(shape) };
  return written
    .map((layer) => layer && fit(layer, shape, [], context))
    .reduce<ConfigNode | undefined>(overlay, undefined);
}

function fileLayer({ name, text, at = [] }: ConfigFile, mistakes: Mistakes): ConfigNode | undefined {
  const before = mistakes.count;
  let node = readYaml(text, { source: 'file', name }, mistakes);
  if (mistakes.count > before) mistakes.markUnreadable();
  for (let depth = 0; node && !isNull(node); depth++) {
    if (node.kind !== 'map') {
      mistakes.add(formatPlace(node.place), formatKey(at.slice(0, depth)), notMap);
      return undefined;
    }
    const step = at[depth];
    if (step === undefined) return node;
    node = node.entries.get(step)?.node;
  }
  return undefined;
}

const notMap = 'must be a map of keys to values';

function isNull(node: ConfigNode): boolean {
  return node.kind === 'scalar' && node.value === null;
}

/** An absent group that must be there is one in which nobody wrote anything: its own keys say what is missing. */
function fillGroups(value: unknown, shape: Shape, depth = 0): unknown {
  if (shape.kind !== 'group' || depth > 64) return value;
  const filled = value ?? {};
  if (typeof filled !== 'object' || Array.isArray(filled)) return value;
  const members: Record<string, unknown> = { ...filled };
  for (const [key, member] of shape.members) {
    if (member.kind === 'group' && (shape.required.has(key) || members[key] !== undefined)) {
      members[key] = fillGroups(members[key], member, depth + 1);
    }
  }
  return members;
}

/** Says of a validator's issue where the value was written, what it was, and for an absent one how to set it. */
function issueTeller(
  shape: Shape,
  root: ConfigNode | undefined,
  { files = [], envPrefix = 'FLOTILLA' }: Layers,
): (issue: Issue, mistakes: Mistakes) => void {
  return ({ path, message }, mistakes) => {
    const { node, place } = find(root, path);
    // Of an absent value, only the place in a file helps: there it could be added.
    const where = place && (node || place.source === 'file') ? formatPlace(place) : '';
    const at = shapeAt(shape, path);
    const key = formatKey(path);
    const names = path.map(String);
    if (node) mistakes.add(where, key, saidOf(node, at, names.at(-1) ?? '', message));
    else if (!isRequired(shape, path)) mistakes.add(where, key, message);
    else {
      const file = files.at(-1);
      const homes = [file && `in ${file.name}`, `as ${variableName(names, envPrefix)}`, `or as ${flagName(names)}`];
      mistakes.add(where, key, `is required; set it ${homes.filter(Boolean).join(', ')}`);
    }
  };
}

function isRequired(shape: Shape, path: Issue['path']): boolean {
  const around = shapeAt(shape, path.slice(0, -1));
  return around?.kind === 'group' && around.required.has(String(path.at(-1)));
}

function shapeAt(shape: Shape, path: Issue['path']): Shape | undefined {
  return path.reduce<Shape | undefined>((at, step) => {
    if (at?.kind === 'group') return at.members.get(String(step));
    return at?.kind === 'map' || at?.kind === 'list' ? at.item : undefined;
  }, shape);
}

/** The validator's words and the value; of a secret neither shows it, whatever the validator wrote. */
function saidOf(node: ConfigNode, shape: Shape | undefined, key: string, message: string): string {
  const secret = node.kind === 'scalar' && (shape?.secret || namesSecret(key));
  if (!secret) return `${message}, got ${valueWords(node)}`;
  const text = String(node.value);
  return `${text === '' ? message : message.replaceAll(text, masked)}, got ${masked}`;
}

function valueWords(node: ConfigNode): string {
  if (node.kind !== 'scalar') return `a ${node.kind}`;
  if (typeof node.value === 'string') return JSON.stringify(maskUrl(node.value).slice(0, 100));
  return node.text === '' ? String(node.value) : node.text.slice(0, 100);
}

/** Freezes arrays and plain objects; whatever else a validator made is its own affair. */
function freezePlain<T>(value: T): T {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value;
  if (!Array.isArray(value) && !isPlain(value)) return value;
  Object.freeze(value);
  for (const member of Object.values(value)) freezePlain(member);
  return value;
}
