import { Secret } from '@flotilla/core';
import { defineSetting, type Setting, type SettingOptions } from '../setting.ts';

export interface SecretOptions extends Omit<SettingOptions<Secret>, 'default'> {
  /** In characters. Default 12, and never below it; 32 for a key of an HMAC. */
  readonly minLength?: number;
}

/**
 * A text that must not be seen. It has no default: a secret that is built in is none. Values that stand in examples
 * everywhere are refused. Besides its own variable it may be read from a file that `…_FILE` names.
 */
export function secret(options: SecretOptions & { readonly optional: true }): Setting<Secret | undefined>;
export function secret(options?: SecretOptions): Setting<Secret>;
export function secret(options: SecretOptions = {}): Setting<Secret> {
  const minLength = Math.max(12, options.minLength ?? 0);
  const jsonSchema = { type: 'string', format: 'password', writeOnly: true, minLength };
  return defineSetting<Secret>('secret', options, jsonSchema, (value, refuse) => {
    const text = value instanceof Secret ? value.reveal() : value;
    if (typeof text !== 'string') return refuse('must be a text');
    if (isSample(text)) return refuse('is a value out of examples that anybody would try; make one of your own');
    if (text.length < minLength) return refuse(`must have at least ${minLength} characters`);
    return value instanceof Secret ? value : new Secret(text);
  });
}

const sampleWords = 'change|me|please|this|to|my|your|the|a|super|very|top|strong|default|sample|example|test|demo|dev'
  .concat('|secret|password|passwd|passphrase|pass|token|key|api|jwt|admin|root|user|guest|login|welcome|flotilla')
  .concat('|secure|insecure|placeholder|value|here|replace|with|insert|some|random|string|todo|xxx|abc|qwerty|letmein');

/** Nothing but words of examples and a few digits: `changeme`, `my-super-secret-key-123`. */
const samplePattern = new RegExp(`^(?:${sampleWords})+$`);

function isSample(text: string): boolean {
  // At most 100 letters are matched: the pattern's words overlap, so a long text could be tried in many ways.
  const letters = text
    .toLowerCase()
    .replace(/[^a-z]/g, '')
    .slice(0, 101);
  const digits = text.replace(/\D/g, '');
  if (/^(.{1,4})\1*$/.test(text)) return true;
  if (letters === '') return '01234567890123456789012345678909876543210987654321'.includes(digits);
  return letters.length <= 100 && digits.length <= 4 && samplePattern.test(letters);
}
