/** `12 s`, `5 min`, `3 h`, `2 d`: how long, in the largest unit that fits; the script of the page counts on in the same words. */
export function duration(ms: number): string {
  const seconds = Math.round(Math.abs(ms) / 1_000);
  if (seconds < 120) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 120) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  return hours < 48 ? `${hours} h` : `${Math.floor(hours / 24)} d`;
}

/** `1 instance`, `1,234 instances`. */
export function counted(count: number, one: string, many = `${one}s`): string {
  return `${count.toLocaleString('en-US')} ${count === 1 ? one : many}`;
}

/** Wall time for machines and for people: `2026-01-01 00:00:00 UTC`. */
export function instantText(wallAt: number): string {
  return `${new Date(wallAt).toISOString().slice(0, 19).replace('T', ' ')} UTC`;
}
