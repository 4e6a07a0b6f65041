import { camelCase, pascalCase } from './names.ts';

/**
 * A text of a template with another name in it. After a quote or a slash stands the name itself, elsewhere its
 * identifier: `'notes'`, `/notes/{id}`, `../contracts/notes.ts`, but `notes`, `NotesItem`.
 * @param from one word of lower-case letters.
 */
export function renamed(text: string, from: string, to: string): string {
  return text
    .replace(new RegExp(`(?<=['"\`/])${from}\\b`, 'g'), to)
    .replace(new RegExp(`(?<![-'"\`/\\w])${from}\\b`, 'g'), camelCase(to))
    .replace(new RegExp(`\\b${pascalCase(from)}(?=[A-Z])`, 'g'), pascalCase(to));
}
