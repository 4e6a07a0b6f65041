import type { PartialBalanceSettings } from '@flotilla/balance';
import { flag, group, integer, type Members, map, number, oneOf, type Setting } from '@flotilla/config';
import {
  batchFields,
  breakerFields,
  bulkheadFields,
  cacheFields,
  type GivenServerPolicies,
  type GivenServicePolicies,
  hedgeFields,
  type PolicyField,
  type PolicyFields,
  rateLimitFields,
  resilienceFields,
  serverPolicyFields,
  singleFlightFields,
} from '@flotilla/resilience';
import { balanceSetting } from './balance-settings.ts';

/** Policies of clients by the service that they call; `*` is for all of them. */
export type ClientsConfig = Readonly<Record<string, ServiceClientConfig>>;

/** What may be said of one service: policies, and how its instances are chosen. */
export interface ServiceClientConfig extends GivenServicePolicies {
  readonly balance?: PartialBalanceSettings | undefined;
}

/**
 * Fields of a policy as settings that may be absent: what nobody wrote is not there, so that it does not win over the code.
 */
export function policyMembers<T>(fields: PolicyFields<T>): Members {
  return Object.fromEntries(
    Object.entries<PolicyField>(fields as Readonly<Record<string, PolicyField>>).map(([name, field]) => [
      name,
      settingOf(field),
    ]),
  );
}

function settingOf(field: PolicyField): Setting<unknown> {
  const { describe } = field;
  if (field.kind === 'flag') return flag({ optional: true, describe });
  if (field.kind === 'oneOf') return oneOf(field.choices, { optional: true, describe });
  const { kind, min, max } = field;
  return (kind === 'integer' ? integer : number)({ optional: true, min, max, describe });
}

const { retryBudgetFraction, retryBudgetPerSecond, retryBudgetWindowMs, maxConcurrent, ...perOperation } =
  resilienceFields;

/** What may be set for one operation. Another policy for calls is one more line here. */
const operationMembers: Members = {
  ...policyMembers(perOperation),
  breaker: group(policyMembers(breakerFields), { describe: 'stops asking what fails' }),
  bulkhead: group(policyMembers(bulkheadFields), { describe: 'a cap on concurrent calls; off without maxConcurrent' }),
  rateLimit: group(policyMembers(rateLimitFields), { describe: 'how often it is called; off without ratePerSecond' }),
  hedge: group(policyMembers(hedgeFields), {
    describe: 'a second attempt elsewhere when the first is slow; off unless enabled',
  }),
  singleFlight: group(policyMembers(singleFlightFields), {
    describe: 'callers who ask for the same share a call; off unless enabled',
  }),
  cache: group(policyMembers(cacheFields), { describe: 'answers that are kept; off unless enabled' }),
  batch: group(policyMembers(batchFields), { describe: 'how calls are gathered, where the code says into what' }),
};

/** What may be set for a service: the same, and what its operations share. */
const serviceMembers: Members = {
  ...operationMembers,
  ...policyMembers({ retryBudgetFraction, retryBudgetPerSecond, retryBudgetWindowMs, maxConcurrent }),
  balance: balanceSetting,
  operations: map(group(operationMembers), {
    default: {},
    maxEntries: 1_000,
    describe: 'what is different for some operations',
  }),
};

/** The section `clients`. */
export const clientsSetting: Setting<ClientsConfig> = map(group(serviceMembers), {
  default: {},
  maxEntries: 1_000,
  describe: 'policies by the service that is called, `*` for all; they win over the code',
}) as Setting<ClientsConfig>;

/** The section `server`. */
export const serverSetting: Setting<GivenServerPolicies> = group(
  Object.fromEntries(
    Object.entries(serverPolicyFields).map(([name, fields]) => [
      name,
      group(policyMembers(fields as PolicyFields<Record<string, unknown>>)),
    ]),
  ),
  { describe: 'limits of what this process serves' },
) as Setting<GivenServerPolicies>;
