/** What `Blob` and `File` of browsers and Node have, as far as it is needed here. Can be read more than once. */
export interface BlobLike {
  readonly size: number;
  readonly type: string;
  /** Of a `File`. */
  readonly name?: string;
  stream(): object;
}

/** Bytes to send: all of them, a blob, or a stream, which can be read only once. */
export type ByteSource = Uint8Array | BlobLike | AsyncIterable<Uint8Array>;

/** Bytes to send, with what is known of them. */
export interface BytesToSend {
  readonly content: ByteSource;
  /** Media type. Default: the blob's own, else the first that the contract names. */
  readonly type?: string | undefined;
  /** In bytes, of a stream: it is then declared, and the stream has to have it. Default: the body goes in chunks. */
  readonly length?: number | undefined;
}

/** Bytes that come. */
export interface ByteStream {
  /** Media type as the sender claims it, with its parameters. */
  readonly type: string;
  /** In bytes; undefined when the sender did not say. */
  readonly length: number | undefined;
  /** Read once, at the reader's pace. Leaving it early tells the sender to stop. */
  readonly content: AsyncIterable<Uint8Array>;
}

/** What a handler answers bytes with. */
export interface BytesAnswer extends BytesToSend {
  /** Makes browsers save it under this name: `content-disposition: attachment`. */
  readonly name?: string | undefined;
  /** Changes when the bytes do. A caller who names it (`if-none-match`) is answered 304 without bytes. */
  readonly etag?: string | undefined;
}

/** The answer of an operation that gives a stream of bytes, as its client sees it. */
export interface Download extends ByteStream {
  /** Without folders; undefined when the callee gives none. */
  readonly name: string | undefined;
  readonly etag: string | undefined;
  /** For an answer that nobody will read: until it is read or cancelled it holds a connection. */
  cancel(): void;
}

/** One file of a form, as it comes. */
export interface FilePart {
  /** The name of its field in the form. */
  readonly field: string;
  /** What the sender calls it, without folders and control characters. Two files may have one name. */
  readonly name: string;
  /** Media type as the sender claims it: it says nothing certain of the bytes. */
  readonly type: string;
  /** Read once, before the next file is asked for; what is not read is thrown away then. */
  readonly content: AsyncIterable<Uint8Array>;
}

/** One file of a form to send. */
export interface FileToSend extends BytesToSend {
  /** The name of its field in the form. Default `file`. */
  readonly field?: string | undefined;
  /** Default: the blob's own, else `file`. */
  readonly name?: string | undefined;
}
