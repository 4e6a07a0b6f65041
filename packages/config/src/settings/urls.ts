import { defineSetting, type Setting, type SettingOptions } from '../setting.ts';
import { url } from './scalars.ts';

export interface UrlsOptions extends Omit<SettingOptions<readonly string[]>, 'optional'> {
  /** As in `url()`. Default http and https. */
  readonly protocols?: readonly string[];
  /** True: none is a list too. Default false. */
  readonly mayBeEmpty?: boolean;
}

/** More servers than this are no list of one's own any more. */
const maxUrls = 100;

/**
 * One or several URLs, in the order in which they are tried: a list, or text with commas between them, as Eureka's
 * `defaultZone` has it. A comma within a URL is written `%2C`.
 */
export function urls(options: UrlsOptions = {}): Setting<readonly string[]> {
  const { protocols = ['http', 'https'], mayBeEmpty = false } = options;
  const one = url({ protocols });
  const jsonSchema = { type: 'array', items: one.jsonSchema, minItems: mayBeEmpty ? 0 : 1, maxItems: maxUrls };
  return defineSetting<readonly string[]>('urls', options, jsonSchema, (value, refuse, path, issues) => {
    const written: readonly unknown[] = Array.isArray(value) ? value : [value];
    const read = written.flatMap((text, position) => {
      const place = Array.isArray(value) ? [...path, position] : path;
      return (textsOf(text) ?? [text]).map((item) => one.read(item, place, issues));
    });
    if (read.length === 0 && !mayBeEmpty) return refuse('must have at least one URL');
    if (read.length > maxUrls) return refuse(`must have at most ${maxUrls} URLs`);
    return Object.freeze(read);
  });
}

function textsOf(value: unknown): string[] | undefined {
  if (typeof value !== 'string') return undefined;
  return value
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '');
}
