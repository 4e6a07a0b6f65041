/** Words that the generated files use themselves: a service of that name would hide them. */
const usedWords: ReadonlySet<string> = new Set(
  `added app assert backend call client command contract empty error fleet gateway gather get home input item items missing
   optional page part post query registry run safe service startFleet test text title trim unknown z`.split(/\s+/),
);

/** Words that are no identifier (ECMA-262 §12.7.2, strict mode and modules), and those that mean something already. */
const languageWords: ReadonlySet<string> = new Set(
  `arguments await break case catch class const continue debugger default delete do else enum eval export extends false
   finally for function if implements import in instanceof interface let new null package private protected public
   return static super switch this throw true try typeof undefined var void while with yield`.split(/\s+/),
);

const serviceNamePattern = /^[a-z][a-z0-9]*(?:-[a-z0-9]+)*$/;
const fleetNamePattern = /^[a-z0-9][a-z0-9._-]*$/;

/** Longest name of a service: it stands in file names, host names and metrics. */
const maxServiceNameLength = 50;
/** What npm allows for a package. */
const maxFleetNameLength = 214;

/** Why a service cannot be called so; undefined: it can. */
export function serviceNameProblem(name: string): string | undefined {
  const shown = JSON.stringify(name.slice(0, 80));
  if (name.length > maxServiceNameLength) {
    return `the name ${shown} has ${name.length} characters; at most ${maxServiceNameLength} are allowed`;
  }
  if (!serviceNamePattern.test(name)) {
    return `the name ${shown} must be lower-case letters, digits and single hyphens, starting with a letter: "order-desk"`;
  }
  if (usedWords.has(camelCase(name)) || languageWords.has(camelCase(name))) {
    return `the name ${shown} is a word that the files of a service use themselves; take another one`;
  }
  return undefined;
}

/** Why a fleet cannot be called so; undefined: it can. */
export function fleetNameProblem(name: string): string | undefined {
  const shown = JSON.stringify(name.slice(0, 80));
  if (name.length > maxFleetNameLength) {
    return `the name ${shown}… has ${name.length} characters; at most ${maxFleetNameLength} are allowed`;
  }
  if (!fleetNamePattern.test(name) || name === 'node_modules') {
    return `the name ${shown} must be lower-case letters, digits and . _ -, starting with a letter or digit: "my-fleet"`;
  }
  return undefined;
}

/** `order-desk` → `orderDesk` */
export function camelCase(name: string): string {
  return name.replace(/-([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
}

/** `order-desk` → `OrderDesk` */
export function pascalCase(name: string): string {
  const camel = camelCase(name);
  return camel.slice(0, 1).toUpperCase() + camel.slice(1);
}
