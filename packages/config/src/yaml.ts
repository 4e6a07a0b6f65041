import {
  type Alias,
  Composer,
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type Pair,
  Parser,
  type Scalar,
  type YAMLMap,
  type YAMLSeq,
} from 'yaml';
import { Mistakes } from './mistakes.ts';
import { type ConfigNode, find, forbiddenKeys, formatPlace, type MapEntry, type Place, plainOf } from './node.ts';
import { overLimit, tooDeep, yamlLimits } from './yaml-limits.ts';

/** A YAML text that was read. */
export interface YamlDocument {
  /** Arrays, objects without a prototype, texts, numbers, booleans and null; undefined for an empty text. */
  readonly value: unknown;
  /** Where the value at `path` was written, or the nearest value around it: `routes.yaml:12:5`. */
  placeOf(path: readonly PropertyKey[]): string;
}

/**
 * Reads one YAML 1.2 document (core schema: `true` and `false` are booleans, `yes` and `on` are texts).
 * Refused: duplicate keys, tags of one's own, merge keys, `__proto__` and its like, and all over {@link yamlLimits}.
 * @param name of the file, for messages.
 * @throws FlotillaError CONFIG_INVALID listing every mistake with line and column.
 */
export function parseYaml(text: string, name: string): YamlDocument {
  const mistakes = new Mistakes();
  const root = readYaml(text, { source: 'file', name }, mistakes);
  mistakes.throwIfAny();
  return {
    value: root && plainOf(root),
    placeOf: (path) => {
      const { place } = find(root, path);
      return place ? formatPlace(place) : name;
    },
  };
}

/** As {@link parseYaml}, with places kept and mistakes gathered. Undefined for an empty text or an unreadable one. */
export function readYaml(text: string, at: Pick<Place, 'source' | 'name'>, mistakes: Mistakes): ConfigNode | undefined {
  const lines = new LineCounter();
  const placeAt = (offset: number): Place => {
    const { line, col } = lines.linePos(offset);
    return { ...at, line: Math.max(1, line), column: Math.max(1, col) };
  };
  const report = (offset: number, problem: string): void => mistakes.add(formatPlace(placeAt(offset)), '', problem);
  const excess = overLimit(text);
  if (excess) {
    lines.addNewLine(0);
    for (let end = text.indexOf('\n'); end >= 0 && end < excess.offset; end = text.indexOf('\n', end + 1)) {
      lines.addNewLine(end + 1);
    }
    report(excess.offset, excess.problem);
    return undefined;
  }
  const document = compose(text, lines, report);
  if (!document?.contents) return undefined;
  const before = mistakes.count;
  const node = new Reader(placeAt, report).read(document.contents, 1);
  return mistakes.count === before ? node : undefined;
}

type Report = (offset: number, problem: string) => void;

function compose(text: string, lines: LineCounter, report: Report): Document | undefined {
  // uniqueKeys: the library compares each key with all before it; 20,000 keys would block for seconds. Reader checks.
  const options = { uniqueKeys: false, version: '1.2', schema: 'core', merge: false, prettyErrors: false } as const;
  const composer = new Composer(options);
  const tokens = new Parser(lines.addNewLine).parse(text);
  const [document, second] = composer.compose(tokens, true, text.length);
  if (!document || document.errors.length > 0) {
    for (const error of document?.errors.slice(0, 20) ?? []) report(error.pos[0], syntaxProblem(error));
    return undefined;
  }
  if (second) report(second.range[0], 'a second document begins here; one text holds one document');
  if (document.directives?.yaml.version !== '1.2') report(0, 'the directive %YAML must say 1.2, or be left out');
  return document as Document;
}

function syntaxProblem(error: { readonly code: string; readonly message: string }): string {
  return error.code === 'RESOURCE_EXHAUSTION' ? tooDeep : error.message;
}

/** What an anchor stands for: its node and what that counts. */
interface Anchored {
  readonly node: ConfigNode;
  readonly nodes: number;
  readonly height: number;
}

const coreTags: ReadonlySet<string> = new Set(
  ['str', 'int', 'float', 'bool', 'null', 'map', 'seq'].map((name) => `tag:yaml.org,2002:${name}`),
);

/** Walks a composed document once, in order, so that an alias finds the last anchor before it. */
class Reader {
  readonly #placeAt: (offset: number) => Place;
  readonly #report: Report;
  readonly #anchors = new Map<string, Anchored | 'open'>();
  #nodes = 0;
  #aliases = 0;
  #deepest = 0;

  constructor(placeAt: (offset: number) => Place, report: Report) {
    this.#placeAt = placeAt;
    this.#report = report;
  }

  read(node: unknown, depth: number): ConfigNode {
    if (isAlias(node)) return this.#alias(node, depth);
    if (!isScalar(node) && !isMap(node) && !isSeq(node)) return this.#null(0);
    const before = this.#nodes;
    const offset = node.range?.[0] ?? 0;
    this.#enter(offset, 1, depth);
    if (node.tag !== undefined && !coreTags.has(node.tag)) this.#report(offset, `the tag "${node.tag}" is not allowed`);
    if (node.anchor !== undefined) this.#anchors.set(node.anchor, 'open');
    const outer = this.#deepest;
    this.#deepest = depth;
    const read = this.#content(node, depth);
    if (node.anchor !== undefined) {
      this.#anchors.set(node.anchor, { node: read, nodes: this.#nodes - before, height: this.#deepest - depth });
    }
    this.#deepest = Math.max(outer, this.#deepest);
    return read;
  }

  #content(node: Scalar | YAMLMap | YAMLSeq, depth: number): ConfigNode {
    if (depth > yamlLimits.maxDepth || this.#nodes > yamlLimits.maxNodes) return this.#null(node.range?.[0] ?? 0);
    if (isMap(node)) return this.#map(node, depth);
    if (isSeq(node)) return this.#list(node, depth);
    return this.#scalar(node);
  }

  #scalar(node: Scalar): ConfigNode {
    const offset = node.range?.[0] ?? 0;
    const { value } = node;
    const text = node.source ?? '';
    const place = this.#placeAt(offset);
    if (value === null || typeof value === 'boolean' || typeof value === 'number' || typeof value === 'string') {
      return { kind: 'scalar', value, text, place };
    }
    this.#report(offset, `"${text.slice(0, 100)}" is not a text, number, boolean or null`);
    return this.#null(offset);
  }

  #list(node: YAMLSeq, depth: number): ConfigNode {
    const items = node.items.map((item) => this.read(item, depth + 1));
    return { kind: 'list', items, place: this.#placeAt(node.range?.[0] ?? 0) };
  }

  #map(node: YAMLMap, depth: number): ConfigNode {
    const entries = new Map<string, MapEntry>();
    for (const pair of node.items) {
      const key = this.#key(pair);
      if (key === undefined) continue;
      const earlier = entries.get(key.text);
      if (earlier) {
        this.#report(key.offset, `the key "${key.text}" stands here again; first at line ${earlier.keyPlace.line}`);
        continue;
      }
      const value = pair.value === null ? this.#null(key.offset) : this.read(pair.value, depth + 1);
      entries.set(key.text, { keyPlace: this.#placeAt(key.offset), node: value });
    }
    return { kind: 'map', entries, place: this.#placeAt(node.range?.[0] ?? 0) };
  }

  /** A key is the text that was written: `200` stays "200". */
  #key(pair: Pair): { text: string; offset: number } | undefined {
    const { key } = pair;
    const offset = (isScalar(key) || isMap(key) || isSeq(key) || isAlias(key) ? key.range?.[0] : 0) ?? 0;
    if (!isScalar(key)) {
      this.#report(offset, 'a key must be a plain text');
      return undefined;
    }
    const text = key.source ?? '';
    if (text === '' || text.length > 1_000) this.#report(offset, 'a key must have 1 to 1000 characters');
    else if (text === '<<') this.#report(offset, 'merge keys ("<<") are not part of YAML 1.2');
    else if (forbiddenKeys.has(text)) this.#report(offset, `"${text}" is not allowed as a key`);
    else return { text, offset };
    return undefined;
  }

  /** An alias shares the node of its anchor; it counts with everything that the anchor holds. */
  #alias(alias: Alias, depth: number): ConfigNode {
    const offset = alias.range?.[0] ?? 0;
    const anchored = this.#anchors.get(alias.source);
    this.#aliases += 1;
    if (this.#aliases === yamlLimits.maxAliases + 1) {
      this.#report(offset, `more than ${yamlLimits.maxAliases} aliases`);
    }
    if (anchored === undefined || anchored === 'open') {
      const problem = anchored === 'open' ? 'stands inside what it stands for' : 'has no anchor before it';
      this.#report(offset, `the alias "*${alias.source.slice(0, 100)}" ${problem}`);
      return this.#null(offset);
    }
    this.#enter(offset, anchored.nodes, depth + anchored.height);
    return anchored.node;
  }

  /** Counts; reports each limit once, when it is crossed. */
  #enter(offset: number, nodes: number, depth: number): void {
    const { maxNodes, maxDepth } = yamlLimits;
    if (this.#nodes <= maxNodes && this.#nodes + nodes > maxNodes) this.#report(offset, `more than ${maxNodes} values`);
    if (depth > maxDepth && this.#deepest <= maxDepth) this.#report(offset, tooDeep);
    this.#nodes += nodes;
    this.#deepest = Math.max(this.#deepest, depth);
  }

  #null(offset: number): ConfigNode {
    return { kind: 'scalar', value: null, text: '', place: this.#placeAt(offset) };
  }
}
