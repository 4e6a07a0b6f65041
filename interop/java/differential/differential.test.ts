import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { skip, startEurekaServer } from '../programs/java.ts';
import { startOurRegistry } from '../programs/ours.ts';
import { accepted } from './accepted.ts';
import { ask, type Scenario } from './ask.ts';
import { type Difference, differences, factsOf } from './facts.ts';
import { living } from './scenarios/living.ts';
import { methods } from './scenarios/methods.ts';
import { reading } from './scenarios/reading.ts';
import { recorded } from './scenarios/recorded.ts';
import { addressing, registering } from './scenarios/registering.ts';
import { get, remove, scenarios } from './scenarios/requests.ts';

const artefacts = join(import.meta.dirname, '../../../.ci/artefacts');
const data = process.env['FLOTILLA_TEST_DATA'];
const traffic = data === undefined ? [] : recorded(join(data, 'eureka-traffic'));

/** Reads show a write at once, and nothing ends by itself: both servers would do that at moments of their own. */
const still = [
  '--eureka.server.use-read-only-response-cache=false',
  '--eureka.server.response-cache-auto-expiration-in-seconds=0',
  '--eureka.server.eviction-interval-timer-in-ms=3600000',
  '--logging.level.root=ERROR',
  '--logging.level.org.flotilla=INFO',
  '--logging.level.org.springframework.boot.web.embedded.tomcat.TomcatWebServer=INFO',
];

test('a real Eureka server and our registry answer alike, but for what is meant', { skip }, async (t) => {
  if (data === undefined)
    t.diagnostic('NOT sent: recorded traffic; set FLOTILLA_TEST_DATA to the folder that holds it');
  await using theirs = await startEurekaServer(still);
  await using ours = await startOurRegistry();
  const found: Difference[] = [];
  let asked = 0;
  for (const scenario of scenarios([...reading, ...methods, ...registering, ...living, ...traffic, ...addressing])) {
    asked += scenario.asks.length;
    found.push(...(await play(scenario, theirs.url, ours.url)));
  }
  const open = found.filter((difference) => !accepted.some((one) => one.fits(difference)));
  const gone = accepted.filter((one) => !found.some((difference) => one.fits(difference)));
  t.diagnostic(`${asked} requests, ${found.length} places differ, ${open.length} of them not meant`);
  mkdirSync(artefacts, { recursive: true });
  writeFileSync(join(artefacts, 'eureka-differential.txt'), open.map(line).join('\n'));
  assert.equal(open.length, 0, `not meant:\n${open.slice(0, 40).map(line).join('\n')}`);
  assert.deepEqual(
    gone.map(({ name }) => name),
    [],
    'accepted differences that do not occur any more',
  );
});

/** Asks both the same. */
async function play({ name, apps, asks }: Scenario, theirs: string, ours: string): Promise<Difference[]> {
  const found: Difference[] = [];
  try {
    for (const one of asks) {
      const [their, our] = await Promise.all([ask(theirs, one), ask(ours, one)]);
      const facts = [factsOf(their, one, apps), factsOf(our, one, apps)] as const;
      found.push(...differences(name, `${one.method} ${one.path}`, ...facts));
    }
    await Promise.all([clear(theirs, apps), clear(ours, apps)]);
  } catch (cause) {
    throw new Error(`in the scenario "${name}"`, { cause });
  }
  return found;
}

/** Takes away what a scenario has left; each server may have something else. */
async function clear(base: string, apps: readonly string[]): Promise<void> {
  for (const app of apps) {
    const { status, body } = await ask(base, get(`apps/${app}`));
    if (status !== 200) continue;
    const { application } = JSON.parse(body) as {
      application: { instance: { instanceId?: string; hostName: string }[] };
    };
    for (const { instanceId, hostName } of application.instance)
      await ask(base, remove(`apps/${app}/${encodeURIComponent(instanceId ?? hostName)}`));
  }
}

function line({ scenario, ask: asked, place, theirs, ours }: Difference): string {
  return `${scenario} | ${asked} | ${place} | theirs: ${theirs ?? '-'} | ours: ${ours ?? '-'}`;
}
