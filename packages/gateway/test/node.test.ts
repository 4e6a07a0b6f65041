import { nodeEngine } from './engines.ts';
import { gatewaySuite } from './gateway-suite.ts';

gatewaySuite('node:http', nodeEngine);
