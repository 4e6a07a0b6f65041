import { openAsBlob } from 'node:fs';
import { basename } from 'node:path';
import { FlotillaError } from '@flotilla/core';
import { concreteTypes, type HttpMapping, type RequestParts } from '@flotilla/rpc/contract';

/** What `fetch` sends, and its type where `fetch` does not know it. */
export interface FetchBody {
  readonly type: string | undefined;
  readonly content: string | Blob | FormData | URLSearchParams;
}

/**
 * The body of a request that the command line makes; texts that begin with `@` name the files whose bytes are meant.
 * @throws FlotillaError INVALID_INPUT for a file that cannot be read
 */
export async function requestBody({ body: kind }: HttpMapping, parts: RequestParts): Promise<FetchBody | undefined> {
  const { body, form = [], carried } = parts;
  switch (kind?.kind) {
    case 'form':
      return {
        type: undefined,
        content: new URLSearchParams(form.map(([name, text]): [string, string] => [name, text])),
      };
    case 'multipart': {
      const content = new FormData();
      for (const [name, text] of form) content.append(name, text);
      const field = kind.fileFields[0] ?? 'file';
      for (const path of [carried].flat())
        content.append(field, await fileAt(path, kind.types), basename(String(path)));
      return { type: undefined, content };
    }
    case 'bytes':
    case 'byteStream': {
      const content = await fileAt(carried, kind.types);
      return { type: content.type, content };
    }
    default:
      return body === undefined ? undefined : { type: 'application/json', content: JSON.stringify(body) };
  }
}

async function fileAt(given: unknown, types: readonly string[]): Promise<Blob> {
  const path = typeof given === 'string' && given.startsWith('@') ? given.slice(1) : undefined;
  if (path === undefined) throw new FlotillaError('INVALID_INPUT', `"${given}" is no file; files are written @path`);
  try {
    return await openAsBlob(path, { type: concreteTypes(types)[0] ?? 'application/octet-stream' });
  } catch (cause) {
    throw new FlotillaError('INVALID_INPUT', `the file "${path}" cannot be read`, { cause });
  }
}
