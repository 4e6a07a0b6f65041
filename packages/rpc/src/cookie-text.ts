/**
 * The text of a cookie, by its name: none or one. Values travel percent-encoded, because cookies hold little else than
 * letters and digits (RFC 6265 §4.1.1); one that is not an encoding, from somebody else, is taken as it is.
 */
export function cookieTexts(cookies: ReadonlyMap<string, string>, name: string): readonly string[] {
  const value = cookies.get(name);
  if (value === undefined) return [];
  try {
    return [decodeURIComponent(value)];
  } catch {
    return [value];
  }
}
