import { FlotillaError } from './errors.ts';

/**
 * What a service is called. Contract names and versions are something else: one service may serve several contracts.
 * Text form, shortest first: `orders` · `orders@2` · `eu/orders@2` (group) · `prod/eu/orders@2` (namespace, group).
 */
export interface Identity {
  /** Separates whole fleets. Default `default`. */
  readonly namespace: string;
  /** Separates variants inside a fleet. Default `default`. */
  readonly group: string;
  /** The name that callers use. */
  readonly service: string;
  /** Empty when the service has no version of its own. */
  readonly version: string;
}

export const defaultNamespace = 'default';
export const defaultGroup = 'default';

const servicePattern = /^[A-Za-z0-9._:-]{1,255}$/;
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what this refuses
const printablePattern = /^[^\u0000-\u001f\u007f-\u009f/@]{1,255}$/u;

/**
 * An identity with its defaults filled in.
 * @throws FlotillaError INVALID_INPUT naming the part that does not fit.
 */
export function identity(
  service: string,
  parts: { readonly [K in Exclude<keyof Identity, 'service'>]?: Identity[K] | undefined } = {},
): Identity {
  const whole: Identity = {
    namespace: parts.namespace ?? defaultNamespace,
    group: parts.group ?? defaultGroup,
    service,
    version: parts.version ?? '',
  };
  check('service', service, servicePattern, 'letters, digits and . _ : -, 1 to 255 of them');
  if (whole.namespace !== defaultNamespace)
    check('namespace', whole.namespace, printablePattern, '1 to 255 printable characters without / and @');
  if (whole.group !== defaultGroup)
    check('group', whole.group, printablePattern, '1 to 255 printable characters without / and @');
  if (whole.version !== '')
    check('version', whole.version, printablePattern, 'up to 255 printable characters without / and @');
  return whole;
}

/** The shortest text that {@link parseIdentity} reads back as the same identity. */
export function formatIdentity({ namespace, group, service, version }: Identity): string {
  const prefix = namespace !== defaultNamespace ? `${namespace}/${group}/` : group !== defaultGroup ? `${group}/` : '';
  return `${prefix}${service}${version === '' ? '' : `@${version}`}`;
}

/** @throws FlotillaError INVALID_INPUT */
export function parseIdentity(text: string): Identity {
  const [path = '', version, ...tooMany] = text.split('@');
  const parts = path.split('/');
  if (tooMany.length > 0 || parts.length > 3 || version === '') {
    throw new FlotillaError('INVALID_INPUT', `"${text.slice(0, 300)}" is not [[namespace/]group/]service[@version]`);
  }
  const [service = '', group, namespace] = parts.reverse();
  return identity(service, {
    ...(group === undefined ? undefined : { group }),
    ...(namespace === undefined ? undefined : { namespace }),
    ...(version === undefined ? undefined : { version }),
  });
}

function check(name: string, value: string, pattern: RegExp, rule: string): void {
  if (!pattern.test(value)) {
    throw new FlotillaError('INVALID_INPUT', `${name} "${value.slice(0, 80)}" must be ${rule}`);
  }
}
