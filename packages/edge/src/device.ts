/** Kinds of devices that a client says it is. */
export type Device = 'web' | 'mobile';

/** What an answer that depends on {@link deviceOf} must name in `vary`, so that caches keep the views apart. */
export const deviceVary = 'flotilla-device, sec-ch-ua-mobile, user-agent';

/** More of a header is not read. */
const maxHeaderLength = 512;

/** The advice of MDN, "Browser detection using the user agent": look for `Mobi`; tablets are shown the web. */
const mobileAgent = /\bMobi|\biPhone\b|\biPod\b|\bOpera Mini\b/;

/**
 * The device that a request comes from.
 * 1. `flotilla-device: web` or `mobile`: the client says it.
 * 2. `sec-ch-ua-mobile: ?1` or `?0` (User-Agent Client Hints): the browser says it.
 * 3. `user-agent`: guessed. 4. Else `web`.
 *
 * Anybody may send any of these: it chooses a view, never what a caller may see.
 * @param header the value of a field by its lower-case name.
 */
export function deviceOf(header: (name: string) => string | undefined): Device {
  const said = header('flotilla-device')?.slice(0, maxHeaderLength).trim().toLowerCase();
  if (said === 'web' || said === 'mobile') return said;
  const hint = header('sec-ch-ua-mobile')?.slice(0, maxHeaderLength).trim();
  if (hint === '?1') return 'mobile';
  if (hint === '?0') return 'web';
  return mobileAgent.test(header('user-agent')?.slice(0, maxHeaderLength) ?? '') ? 'mobile' : 'web';
}
