/** Where the packages of Flotilla come from: name → specifier, `file:…` for a tarball. */
export type Specifiers = ReadonlyMap<string, string>;

interface PackageJson {
  name: string;
  dependencies: Record<string, string>;
  devDependencies: Record<string, string>;
  overrides?: Record<string, string>;
}

/**
 * The `package.json` of a fleet.
 * @param template as it stands among the templates.
 * @param specifiers empty: everything comes from the registry. Else also packages that others depend on come from there.
 */
export function packageJson(template: string, name: string, specifiers: Specifiers): string {
  const document = JSON.parse(template) as PackageJson;
  document.name = name;
  for (const group of [document.dependencies, document.devDependencies]) {
    for (const dependency of Object.keys(group)) {
      const specifier = specifiers.get(dependency);
      if (specifier !== undefined) group[dependency] = specifier;
    }
  }
  if (specifiers.size > 0) document.overrides = Object.fromEntries(specifiers);
  return `${JSON.stringify(document, null, 2)}\n`;
}

/**
 * The packages that tarballs hold, told by their names, as `npm pack` gives them.
 * @param files names in a folder; `url` is the folder's, with a slash at its end.
 * @throws Error when there is no tarball of this version.
 */
export function specifiersOf(files: readonly string[], folder: string, version: string): Specifiers {
  const specifiers = new Map<string, string>();
  for (const file of files) {
    const name = packageOf(file, version);
    if (name !== undefined) specifiers.set(name, `file:${folder}/${file}`);
  }
  for (const needed of ['flotilla', '@flotilla/cli', '@flotilla/testkit', '@flotilla/edge']) {
    if (!specifiers.has(needed))
      throw new Error(`${folder} has no tarball of ${needed} ${version}; pack all packages into it`);
  }
  return specifiers;
}

/** `flotilla-cli-0.1.0.tgz` → `@flotilla/cli` */
function packageOf(file: string, version: string): string | undefined {
  const end = `-${version}.tgz`;
  if (!file.endsWith(end)) return undefined;
  const name = file.slice(0, -end.length);
  if (name === 'flotilla' || name === 'create-flotilla') return name;
  return name.startsWith('flotilla-') ? name.replace('flotilla-', '@flotilla/') : undefined;
}
