import { memoryEngine } from './engines.ts';
import { gatewaySuite } from './gateway-suite.ts';

gatewaySuite('the network in memory', memoryEngine);
