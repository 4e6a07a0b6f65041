import type { ExplainedInstance, PickExplanation } from '@flotilla/balance';
import { FlotillaError } from '@flotilla/core';
import { fetchUrl } from '../engines/http-get.ts';
import { formatTable } from '../table.ts';
import { type Output, show } from './output.ts';

/** A process that may call the service, by its management port. */
export interface Caller {
  readonly name: string;
  readonly managementUrl: string;
}

/** What one process says of one of its clusters. */
interface Answer extends PickExplanation {
  readonly caller: string;
}

/**
 * Why calls of a service go where they go, as each process that calls it sees it.
 * @throws FlotillaError NO_ROUTE when none of them calls it.
 */
export async function why(callers: readonly Caller[], service: string, output: Output): Promise<void> {
  const answers = (await Promise.all(callers.map((caller) => ask(caller, service)))).flat();
  if (answers.length === 0) {
    const asked = callers.map(({ name }) => name).join(', ') || 'no process';
    throw new FlotillaError('NO_ROUTE', `nobody calls "${service}": asked ${asked}`);
  }
  show(output, { service, callers: answers }, () => answers.map(describe).join('\n\n'));
}

async function ask({ name, managementUrl }: Caller, service: string): Promise<Answer[]> {
  const address = `${managementUrl.replace(/\/$/, '')}/why?${new URLSearchParams({ service })}`;
  const response = await fetchUrl(address, { headers: { accept: 'application/json' } });
  const text = await response.text();
  if (response.status === 404) return []; // it does not call it, or shows nothing of the kind: the registry
  if (response.status !== 200) {
    throw new FlotillaError('BAD_RESPONSE', `${name} answered ${response.status}: ${text.slice(0, 300)}`);
  }
  return (JSON.parse(text) as PickExplanation[]).map((explanation) => ({ caller: name, ...explanation }));
}

function describe(answer: Answer): string {
  const { caller, target, pick, zone, ownZoneShare, panic, rules, instances } = answer;
  const candidates = instances.filter(({ leftOut }) => leftOut === undefined);
  const leftOut = instances.filter((instance) => instance.leftOut !== undefined);
  const counts = rules.filter((rule) => rule.leftOut > 0).map((rule) => `${rule.rule} ${rule.leftOut}`);
  return [
    `${caller} → ${target}: ${candidates.length} of ${instances.length} instances, pick ${pick}`,
    ...(zone === undefined
      ? []
      : [`zone ${zone}${ownZoneShare === undefined ? '' : `, ${percent(ownZoneShare)} of the calls stay`}`]),
    ...(panic ? ['panic: too few are healthy, so the ejected ones are used too'] : []),
    ...(counts.length === 0 ? [] : [`left out by ${counts.join(', ')}`]),
    '',
    formatTable([heading, ...candidates.map(numbersOf)]),
    ...(leftOut.length === 0
      ? []
      : [
          '',
          formatTable([
            ['LEFT OUT', 'ZONE', 'LANE', 'RULE', 'WHY'],
            ...leftOut.map(({ id, zone: of, lane, leftOut: by }) => [
              id,
              of ?? '-',
              lane ?? '-',
              by?.rule ?? '',
              by?.why ?? '',
            ]),
          ]),
        ]),
  ].join('\n');
}

const heading = ['CANDIDATE', 'ZONE', 'LANE', 'WEIGHT', 'SHARE', 'IN FLIGHT', 'LATENCY', 'BUSY', 'CALLS', 'FAILED'];

function numbersOf(instance: ExplainedInstance): string[] {
  const { id, zone, lane, weight, warmth, share, load, latencyMs, utilisation, calls, failures } = instance;
  return [
    id,
    zone ?? '-',
    lane ?? '-',
    warmth < 1 ? `${weight} × ${warmth.toFixed(2)} (young)` : String(weight),
    percent(share),
    String(load),
    latencyMs === undefined ? '-' : `${latencyMs < 10 ? latencyMs.toFixed(1) : Math.round(latencyMs)} ms`,
    utilisation === undefined ? '-' : percent(utilisation),
    String(calls),
    String(failures),
  ];
}

function percent(share: number): string {
  return `${(share * 100).toFixed(share < 0.1 ? 1 : 0)} %`;
}
