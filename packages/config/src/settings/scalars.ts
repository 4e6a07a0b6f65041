import { defineSetting, type Setting, type SettingOptions } from '../setting.ts';

export interface TextOptions extends SettingOptions<string> {
  /** The whole text must match. Written by the programmer, so it must not be slow on any input. */
  readonly pattern?: RegExp;
  /** In characters. Default 0. */
  readonly minLength?: number;
  /** In characters. Default 10 000. */
  readonly maxLength?: number;
}

/** A text. */
export function text(options: TextOptions & { readonly optional: true }): Setting<string | undefined>;
export function text(options?: TextOptions): Setting<string>;
export function text(options: TextOptions = {}): Setting<string> {
  const { pattern, minLength = 0, maxLength = 10_000 } = options;
  const rule = { type: 'string', ...(minLength > 0 && { minLength }), maxLength };
  const whole = pattern && new RegExp(`^(?:${pattern.source})$`, pattern.flags.replace(/[gy]/g, ''));
  return defineSetting('text', options, { ...rule, ...(whole && { pattern: whole.source }) }, (value, refuse) => {
    if (typeof value !== 'string') return refuse('must be a text');
    if (value.length < minLength) return refuse(`must have at least ${minLength} characters`);
    if (value.length > maxLength) return refuse(`must have at most ${maxLength} characters`);
    return whole && !whole.test(value) ? refuse(`must match ${whole}`) : value;
  });
}

export interface NumberOptions extends SettingOptions<number> {
  /** Smallest value allowed. Default: the smallest that fits. */
  readonly min?: number;
  /** Largest value allowed. Default: the largest that fits. */
  readonly max?: number;
}

/** A whole number. Durations are whole numbers whose key ends in `Ms`. */
export function integer(options: NumberOptions & { readonly optional: true }): Setting<number | undefined>;
export function integer(options?: NumberOptions): Setting<number>;
export function integer(options: NumberOptions = {}): Setting<number> {
  const { min = Number.MIN_SAFE_INTEGER, max = Number.MAX_SAFE_INTEGER } = options;
  const rule = `must be an integer${rangeWords(options)}`;
  const jsonSchema = { type: 'integer', minimum: min, maximum: max };
  return defineSetting('integer', options, jsonSchema, (value, refuse) =>
    typeof value === 'number' && Number.isSafeInteger(value) && value >= min && value <= max ? value : refuse(rule),
  );
}

/** A finite number. Fractions are numbers from 0 to 1 whose key ends in `Fraction`. */
export function number(options: NumberOptions & { readonly optional: true }): Setting<number | undefined>;
export function number(options?: NumberOptions): Setting<number>;
export function number(options: NumberOptions = {}): Setting<number> {
  const { min = -Number.MAX_VALUE, max = Number.MAX_VALUE } = options;
  const rule = `must be a number${rangeWords(options)}`;
  const jsonSchema = {
    type: 'number',
    ...(options.min !== undefined && { minimum: min }),
    ...(options.max !== undefined && { maximum: max }),
  };
  return defineSetting('number', options, jsonSchema, (value, refuse) =>
    typeof value === 'number' && value >= min && value <= max ? value : refuse(rule),
  );
}

/** True or false. */
export function flag(options: SettingOptions<boolean> & { readonly optional: true }): Setting<boolean | undefined>;
export function flag(options?: SettingOptions<boolean>): Setting<boolean>;
export function flag(options: SettingOptions<boolean> = {}): Setting<boolean> {
  return defineSetting('flag', options, { type: 'boolean' }, (value, refuse) =>
    typeof value === 'boolean' ? value : refuse('must be true or false'),
  );
}

/** One of a few texts. */
export function oneOf<const Choice extends string>(
  choices: readonly Choice[],
  options: SettingOptions<Choice> & { readonly optional: true },
): Setting<Choice | undefined>;
export function oneOf<const Choice extends string>(
  choices: readonly Choice[],
  options?: SettingOptions<NoInfer<Choice>>,
): Setting<Choice>;
export function oneOf<const Choice extends string>(
  choices: readonly Choice[],
  options: SettingOptions<Choice> = {},
): Setting<Choice> {
  const rule = `must be one of ${choices.map((choice) => `"${choice}"`).join(', ')}`;
  const jsonSchema = { type: 'string', enum: [...choices] };
  return defineSetting<Choice>('oneOf', options, jsonSchema, (value, refuse) => {
    const chosen = choices.find((choice) => choice === value);
    return chosen === undefined ? refuse(rule) : chosen;
  });
}

export interface UrlOptions extends SettingOptions<string> {
  /** Schemes allowed, without the colon; with it where no `//` need follow, as in `file:`. Default `http` and `https`. */
  readonly protocols?: readonly string[];
}

/** An absolute URL, as it was written. A password in it is not shown where configuration is shown. */
export function url(options: UrlOptions & { readonly optional: true }): Setting<string | undefined>;
export function url(options?: UrlOptions): Setting<string>;
export function url(options: UrlOptions = {}): Setting<string> {
  const { protocols = ['http', 'https'] } = options;
  const beginnings = protocols.map((protocol) => (protocol.endsWith(':') ? protocol : `${protocol}://`));
  const rule = `must be a URL that begins with ${beginnings.map((text) => `"${text}"`).join(' or ')}`;
  return defineSetting('url', options, { type: 'string', format: 'uri', maxLength: 2_000 }, (value, refuse) => {
    if (typeof value !== 'string' || value.length > 2_000) return refuse(rule);
    const known = beginnings.some((text) => value.toLowerCase().startsWith(text));
    return known && URL.canParse(value) ? value : refuse(rule);
  });
}

function rangeWords({ min, max }: NumberOptions): string {
  if (min !== undefined && max !== undefined) return ` from ${min} to ${max}`;
  if (min !== undefined) return ` of at least ${min}`;
  return max === undefined ? '' : ` of at most ${max}`;
}
