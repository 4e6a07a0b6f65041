export { Authority, type Issue, type Issued, stamp } from './certificates.ts';
export { anInstance } from './instances.ts';
export { ManualClock, settle } from './manual-clock.ts';
export { seededRandom } from './random.ts';
export { freePorts, missing, type RealProcess, startProcess, until } from './real-server.ts';
export { unheard } from './registrations.ts';
export { TcpLink } from './tcp-link.ts';
export { aUser, basicOf } from './users.ts';
export { VirtualClock } from './virtual-clock.ts';
