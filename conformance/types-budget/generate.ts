/** How large the fleet is whose types are measured. */
export const size: { readonly contracts: number; readonly operations: number } = Object.freeze({
  contracts: 50,
  operations: 20,
});

/** TypeScript files by their names: contracts in zod, and for each a server and a client that use every operation. */
export function generateFleet(): Map<string, string> {
  const files = new Map<string, string>();
  for (let index = 0; index < size.contracts; index++) {
    files.set(`contract-${index}.ts`, contractFile(index));
    files.set(`service-${index}.ts`, serviceFile(index));
    files.set(`caller-${index}.ts`, callerFile(index));
  }
  return files;
}

function operations<T>(write: (index: number) => T): T[] {
  return Array.from({ length: size.operations }, (_, index) => write(index));
}

function contractFile(contract: number): string {
  return `import * as z from 'zod';
import { command, contract, error, get, post, query, stream } from '@flotilla/rpc/contract';
${operations((index) => schemas(contract, index)).join('\n')}
export const contract${contract} = contract({ name: 'contract-${contract}', version: 1 }, {
${operations((index) => operation(index)).join('\n')}
});
`;
}

function schemas(contract: number, index: number): string {
  return `
export const Key${index} = z.object({ id: z.string(), page${index}: z.number().int().optional() });
export const Item${index} = z.object({
  id: z.string().min(1).max(${index + 10}),
  name: z.string(),
  cents: z.number().int().nonnegative(),
  state: z.enum(['new', 'paid', 'sent${contract}']),
  lines: z.array(z.object({ sku: z.string(), count: z.number().int(), note: z.string().optional() })),
  address: z.object({ street: z.string(), city: z.string(), country: z.string().length(2) }).nullable(),
});
export const Change${index} = z.object({ id: z.string(), count: z.number().default(1), reason: z.string().optional() });`;
}

function operation(index: number): string {
  const errors = `errors: { NOT_FOUND: error(404, Key${index}), CONFLICT: error(409) }`;
  if (index % 4 === 3) return `  op${index}: stream({ in: Key${index}, out: Item${index} }),`;
  if (index % 4 === 2) {
    return `  op${index}: command({ in: Change${index}, out: Item${index}, ${errors}, http: post('/op${index}/{id}', 201) }),`;
  }
  return `  op${index}: query({ in: Key${index}, out: Item${index}, ${errors}, http: get('/op${index}/{id}') }),`;
}

function serviceFile(contract: number): string {
  const item = (id: string): string =>
    `{ id: ${id}, name: '', cents: 1, state: 'new', lines: [{ sku: '', count: 1 }], address: null }`;
  const handler = (index: number): string => {
    if (index % 4 === 3) return `  async *op${index}({ id }) { yield ${item('id')}; },`;
    return `  op${index}: async ({ id }, call) => id === '' ? call.fail('NOT_FOUND', { id }) : ${item('id')},`;
  };
  return `import { bind } from '@flotilla/rpc';
import { contract${contract} } from './contract-${contract}.ts';
export const binding = bind(contract${contract}, {
${operations(handler).join('\n')}
});
`;
}

function callerFile(contract: number): string {
  const use = (index: number): string => {
    if (index % 4 === 3)
      return `  for await (const item of client.op${index}({ id: '1' })) seen.push(item.address?.city ?? item.name);`;
    return `  const reply${index} = await safe(client.op${index}({ id: '1' }));
  seen.push(reply${index}.ok ? reply${index}.value.lines[0]?.sku ?? '' : reply${index}.error.code === 'NOT_FOUND' ? reply${index}.error.data.id : '');`;
  };
  return `import { type Client, safe } from '@flotilla/rpc';
import type { contract${contract} } from './contract-${contract}.ts';
export async function calls(client: Client<typeof contract${contract}>): Promise<string[]> {
  const seen: string[] = [];
${operations(use).join('\n')}
  return seen;
}
`;
}
