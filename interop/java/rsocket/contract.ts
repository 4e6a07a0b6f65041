import { command, contract, duplex, error, notify, query, stream, upload } from 'flotilla/contract';
import { z } from 'zod';

const Book = z.object({ id: z.string(), title: z.string(), pages: z.int() });
const Key = z.object({ id: z.string() });
const Count = z.object({ n: z.int() });

/** What `BooksController` serves by the same routes, and `Books.java` calls. */
export const books = contract(
  { name: 'books', version: 1 },
  {
    find: query({ in: Key, out: Book }),
    /** Answers nothing. */
    lose: query({ in: Key }),
    fail: query({ in: z.object({ how: z.string() }), out: Book, errors: { LOST: error(410, Key) } }),
    /** Never answers. */
    wait: command({ in: Key, out: Book }),
    /** A title of that many characters. */
    big: query({ in: Count, out: Book }),
    list: stream({ in: Count, out: Book }),
    /** As many as are wanted, for ever. */
    endless: stream({ in: Count, out: Book }),
    /** That many, then an error. */
    tear: stream({ in: Count, out: Book }),
    sum: upload({ in: z.object({ value: z.int() }), out: z.object({ total: z.int(), count: z.int() }) }),
    rename: duplex({ in: Book, out: Book }),
    /** Takes two, then wants no more. */
    two: duplex({ in: Book, out: Book }),
    note: notify({ in: Book }),
    /** Answers what the caller says when it is asked back. */
    ask: query({ in: Key, out: Book }),
  },
);

/** Some of it by a caller who wants to hear nothing, and one operation that nobody has. */
export const silent = contract(
  { name: 'books', version: 1 },
  {
    note: notify({ in: Book, acknowledged: false }),
    nobody: notify({ in: Book, acknowledged: false }),
  },
);

/** What a caller serves to whom it calls, as `Reader.java` does. */
export const reader = contract({ name: 'reader', version: 1 }, { prefers: query({ in: Key, out: Book }) });
