import { createHash } from 'node:crypto';

/** A script of Redis and the hash that the server knows it by once it has seen it. */
export interface RedisScript {
  readonly text: string;
  readonly sha1: string;
}

/**
 * Each runs as one step that nothing comes between (Redis manual, "Scripting with Lua"): there is no other way to compare a
 * value and change it, or to count and set a time to live, in one round trip. Each touches one key only, so that a cluster
 * can run it.
 */

/** KEYS: the value. ARGV: 1 if a value is expected, it; 1 if there is a new one, it, its time to live. */
export const compareAndSetScript: RedisScript = script(`
local found = redis.call('GET', KEYS[1])
local expected = ARGV[1] == '1' and ARGV[2] or false
if found ~= expected then return {0, found} end
if ARGV[3] == '1' then redis.call('SET', KEYS[1], ARGV[4], 'PX', ARGV[5]) else redis.call('DEL', KEYS[1]) end
return {1}
`);

/** KEYS: the counter. ARGV: the step, the largest value or '', the time to live of a new one. */
export const incrementScript: RedisScript = script(`
local value = tonumber(redis.call('GET', KEYS[1]) or '0')
local left = redis.call('PTTL', KEYS[1])
if ARGV[2] ~= '' and value + tonumber(ARGV[1]) > tonumber(ARGV[2]) then return {0, value, left} end
value = redis.call('INCRBY', KEYS[1], ARGV[1])
if left < 0 then
  redis.call('PEXPIRE', KEYS[1], ARGV[3])
  left = tonumber(ARGV[3])
end
return {1, value, left}
`);

function script(text: string): RedisScript {
  const trimmed = text.trim();
  return { text: trimmed, sha1: createHash('sha1').update(trimmed).digest('hex') };
}
