import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createHealth, type HealthState } from './health.ts';

describe('createHealth', () => {
  it('is live and ready until something says otherwise', () => {
    const health = createHealth();
    assert.deepEqual(health.liveness(), { live: true });
    assert.deepEqual(health.readiness(), { ready: true, draining: false, checks: [] });
  });

  it('is ready when every check is, and says what is missing', () => {
    const health = createHealth();
    let registry: HealthState = { ready: false, reason: 'no answer yet' };
    health.register({ name: 'registry', check: () => registry });
    const leave = health.register({ name: 'store', check: () => assert.fail('broken check') });
    assert.deepEqual(health.readiness(), {
      ready: false,
      draining: false,
      checks: [
        { name: 'registry', ready: false, reason: 'no answer yet' },
        { name: 'store', ready: false, reason: 'the check itself failed' },
      ],
    });
    leave();
    registry = { ready: true };
    assert.deepEqual(health.readiness(), { ready: true, draining: false, checks: [{ name: 'registry', ready: true }] });
  });

  it('refuses a second check of one name, and a check taken back twice takes no other', () => {
    const health = createHealth();
    const leave = health.register({ name: 'a', check: () => ({ ready: true }) });
    assert.throws(() => health.register({ name: 'a', check: () => ({ ready: true }) }), /"a" is already registered/);
    leave();
    health.register({ name: 'a', check: () => ({ ready: false }) });
    leave();
    assert.equal(health.readiness().ready, false);
  });

  it('stays live while it drains, but is not ready', () => {
    const health = createHealth();
    health.drain();
    assert.deepEqual(health.readiness(), { ready: false, draining: true, checks: [] });
    assert.equal(health.liveness().live, true);
  });

  it('is neither once it failed; the first reason stays', () => {
    const health = createHealth();
    health.fail('the event loop is stuck');
    health.fail('later');
    assert.deepEqual(health.liveness(), { live: false, reason: 'the event loop is stuck' });
    assert.equal(health.readiness().ready, false);
  });
});
