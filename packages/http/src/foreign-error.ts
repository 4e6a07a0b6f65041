/** What the error document of another platform says. */
export interface ForeignError {
  /** In its words, for a person. Empty when it says nothing. */
  readonly message: string;
  /** What of it may be passed on: no stack, however much of one the document holds. */
  readonly data: Readonly<Record<string, string | number>>;
}

const longestText = 500;

/**
 * Reads the error documents of Spring, and RFC 9457 of anybody:
 *
 * - Spring Boot's default, `{timestamp, status, error, path, message?, requestId?}` (`DefaultErrorAttributes`), which may
 *   also hold `trace`, `exception` and `errors`: those are never passed on;
 * - `{type?, title, status, detail?, instance?}` of Spring 6 and later (`ProblemDetail`, RFC 9457 §3).
 *
 * @param status of the answer; a document that names another one is somebody else's
 * @returns undefined for a document of another shape
 */
export function readForeignError(document: unknown, status: number): ForeignError | undefined {
  if (typeof document !== 'object' || document === null || Array.isArray(document)) return undefined;
  const fields = document as Readonly<Record<string, unknown>>;
  if (fields['status'] !== status) return undefined;
  if (isTimestamp(fields['timestamp']) && typeof fields['error'] === 'string') {
    return { message: textOf(fields['message']), data: pick(fields, status, ['error', 'path', 'requestId']) };
  }
  if (typeof fields['title'] === 'string') {
    return { message: textOf(fields['detail']), data: pick(fields, status, ['type', 'title', 'instance']) };
  }
  return undefined;
}

/** ISO 8601 since Spring Boot 2, milliseconds before. */
function isTimestamp(value: unknown): boolean {
  return typeof value === 'number' || (typeof value === 'string' && /^\d{4}-\d{2}-\d{2}T/.test(value));
}

function pick(
  fields: Readonly<Record<string, unknown>>,
  status: number,
  names: readonly string[],
): Record<string, string | number> {
  const picked: Record<string, string | number> = { status };
  for (const name of names) {
    const text = textOf(fields[name]);
    if (text !== '') picked[name] = text;
  }
  return picked;
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value.slice(0, longestText) : '';
}
