import { seededRandom } from '@flotilla/core/testing';
import { ServerGuard } from '../src/server-guard.ts';
import { resolveServerPolicies } from '../src/server-policies.ts';
import { openLoad, SimulatedServer } from './simulated-server.ts';
const works: any = {
 wait4c2: { waitMs: 4, computeMs: 2, admitMs: 0.05, refuseMs: 0.06 },
 comp: { waitMs: 0, computeMs: 2, admitMs: 0.05, refuseMs: 0.06 },
 wait50c1: { waitMs: 50, computeMs: 1, admitMs: 0.05, refuseMs: 0.06 },
 rs: { waitMs: 4, computeMs: 0.5, admitMs: 0.03, refuseMs: 0.01 },
 http: { waitMs: 4, computeMs: 0.5, admitMs: 0.06, refuseMs: 0.04 },
 small: { waitMs: 1, computeMs: 0.1, admitMs: 0.02, refuseMs: 0.01 },
 big: { waitMs: 10, computeMs: 10, admitMs: 0.05, refuseMs: 0.04 },
};
const given = JSON.parse(process.argv[2] ?? '{}');
const restMs=3000, overloadMs=Number(process.argv[3]??10000);
for (const [name, work] of Object.entries<any>(works)) {
  for (const seed of [1,2]) {
  const random = seededRandom(seed);
  const server = new SimulatedServer(work, random);
  const guard = new ServerGuard({ policies: resolveServerPolicies(given), clock: server.clock, load: server });
  const cap = 1000/(work.computeMs+work.admitMs);
  const limits:number[]=[]; const of=guard.enter.bind(guard); (guard as any).enter=(c:any)=>{ limits.push(guard.limit); return of(c);};
  await server.run(guard, openLoad([{perSecond:cap/5,ms:restMs},{perSecond:cap*3,ms:overloadMs},{perSecond:cap/5,ms:restMs}], random));
  const d=(a:number,b:number)=>server.results.filter(r=>r.sentAt>=a&&r.sentAt<b);
  const p=(rs:any[],q:number)=>{const t=rs.filter(r=>r.good).map(r=>r.endedAt-r.sentAt).sort((a,b)=>a-b);return t[Math.floor(t.length*q)]??NaN;};
  const rest=d(0,restMs), ov=d(restMs,restMs+overloadMs), st=d(restMs,restMs+1000), late=d(restMs+1000,restMs+overloadMs);
  const crit=ov.filter(r=>r.urgency===0);
  limits.sort((a,b)=>a-b);
  console.log(name.padEnd(9), 'good', (ov.filter(r=>r.good).length/overloadMs*1000/cap).toFixed(3), 'restP50', p(rest,.5).toFixed(1),'restP99', p(rest,.99).toFixed(1), 'p50', p(ov,.5).toFixed(1),'p99', p(ov,.99).toFixed(1), 'x', (p(ov,.99)/p(rest,.99)).toFixed(2), 'x p50rest', (p(ov,.99)/p(rest,.5)).toFixed(2), '1st s p99', p(st,.99).toFixed(1),'late p99', p(late,.99).toFixed(1), 'crit', (crit.filter(r=>r.good).length/crit.length).toFixed(3), 'limit p10/50/90', limits[Math.floor(limits.length*.1)], limits[Math.floor(limits.length*.5)], limits[Math.floor(limits.length*.9)], 'restRef', rest.filter(r=>!r.good).length);
  }
}
