import { rsocketEngine } from './engines.ts';
import { gatewaySuite } from './gateway-suite.ts';

gatewaySuite('sockets, with RSocket to its upstreams', rsocketEngine);
