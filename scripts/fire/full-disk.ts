import { execFileSync } from 'node:child_process';
import { rmSync, statfsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { Books } from './books.ts';
import { newCustomer, orderOf, ordersPath } from './buyer.ts';
import { HttpClient, type Reply } from './client.ts';
import { Fleet, host, pagePath } from './fleet.ts';
import { untilWhole } from './scenario.ts';

/** Each database may have a write-ahead log of 4 MB. */
const sizeMegabytes = 48;
const product = 'ginger-tea';
const orders = 40;
const timeoutMs = 10_000;

export interface FullDiskResult {
  readonly placedBefore: number;
  /** Answers to orders on the full disk, each kind with its number. */
  readonly onFullDisk: string;
  readonly pagesOnFullDisk: string;
  readonly placedAfter: number;
  readonly mistakes: readonly string[];
}

/** Whether this process may mount a file system. */
export function mayMount(): boolean {
  return process.getuid?.() === 0 && process.platform === 'linux';
}

/**
 * Fills the disk of the databases while orders are placed, then makes room again. Orders on the full disk are refused
 * with an error, pages go on, whatever was acknowledged survives, and ordering works again without a restart.
 */
export async function runFullDisk(port: number): Promise<FullDiskResult> {
  const fleet = new Fleet({ port });
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${sizeMegabytes}m`, 'tmpfs', fleet.dataFolder]);
  try {
    await fleet.start();
    await untilWhole(fleet);
    const result = await fillAndOrder(fleet);
    if (result.mistakes.length === 0) fleet.forget();
    return result;
  } finally {
    for (const unit of fleet.units) await unit.kill();
    execFileSync('umount', ['--lazy', fleet.dataFolder]);
    await fleet.end();
  }
}

async function fillAndOrder(fleet: Fleet): Promise<FullDiskResult> {
  const books = new Books(fleet.dataFolder);
  books.deliver(product, 10 * orders);
  const client = new HttpClient({ host, port: fleet.gatewayPort, maxConnections: 4 });
  const customer = await newCustomer(client);
  const place = async (): Promise<Reply[]> => {
    const replies: Reply[] = [];
    for (let order = 0; order < orders; order++)
      replies.push(await client.send({ path: ordersPath, ...orderOf(customer, product), timeoutMs }));
    return replies;
  };
  const before = await place();
  const filler = join(fleet.dataFolder, 'filler');
  fill(fleet.dataFolder, filler);
  const during = await place();
  const pages: Reply[] = [];
  for (let page = 0; page < orders; page++) pages.push(await client.send({ path: pagePath, timeoutMs }));
  rmSync(filler);
  await pause(1_000);
  const after = await place();

  const mistakes: string[] = [];
  const placed = [...before, ...during, ...after].filter(({ status }) => status === 201);
  const known = books.orders();
  for (const { body } of placed) {
    const { id } = JSON.parse(body) as { readonly id: string };
    if (!known.has(id)) mistakes.push(`order ${id} was acknowledged and does not exist`);
    const { outcome } = await client.send({ path: `${ordersPath}/${id}`, headers: customer.headers, timeoutMs });
    if (outcome !== 'ok') mistakes.push(`order ${id} cannot be seen: ${outcome}`);
  }
  if (after.some(({ status }) => status !== 201)) mistakes.push(`with room again: ${countOf(after)}`);
  if (pages.some(({ outcome }) => outcome !== 'ok')) mistakes.push(`pages on a full disk: ${countOf(pages)}`);
  if (during.every(({ status }) => status === 201)) mistakes.push('the disk was not full');
  for (const { status, body } of during)
    if (status !== 201 && !/"code":"[A-Z_]+"/.test(body)) mistakes.push(`no clear error: ${status} ${body}`);
  client.close();
  books.close();
  return {
    placedBefore: before.filter(({ status }) => status === 201).length,
    onFullDisk: countOf(during),
    pagesOnFullDisk: countOf(pages),
    placedAfter: after.filter(({ status }) => status === 201).length,
    mistakes,
  };
}

/** Leaves less than a page. */
function fill(folder: string, file: string): void {
  const { bavail, bsize } = statfsSync(folder);
  try {
    writeFileSync(file, Buffer.alloc(bavail * bsize + bsize));
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code !== 'ENOSPC') throw thrown; // what fits is written
  }
}

/** `3 × status 500 INTERNAL, 37 × ok`. */
function countOf(replies: readonly Reply[]): string {
  const counts = new Map<string, number>();
  for (const { outcome, body } of replies) {
    const code = outcome === 'ok' ? '' : (/"code":"([A-Z_]+)"/.exec(body)?.[1] ?? '');
    const name = `${outcome} ${code}`.trim();
    counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  return [...counts].map(([name, count]) => `${count} × ${name}`).join(', ');
}
