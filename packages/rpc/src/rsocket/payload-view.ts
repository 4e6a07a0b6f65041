/**
 * Metadata and data of a message, as places in a buffer. One view is reused for all messages of a connection, and its
 * bytes are those of the receive buffer: **both are valid only during the callback that got them.** What is to outlive
 * it is copied or decoded first.
 */
export class PayloadView {
  bytes: Buffer = noBytes;
  hasMetadata = false;
  metadataStart = 0;
  metadataEnd = 0;
  dataStart = 0;
  dataEnd = 0;

  get dataLength(): number {
    return this.dataEnd - this.dataStart;
  }

  /** The data as UTF-8 text. */
  dataText(): string {
    return this.bytes.toString('utf8', this.dataStart, this.dataEnd);
  }

  /** The data in place: valid only during the callback. */
  dataBytes(): Buffer {
    return this.bytes.subarray(this.dataStart, this.dataEnd);
  }

  /** The data in a buffer of its own. */
  copyData(): Buffer<ArrayBuffer> {
    const copy = Buffer.allocUnsafe(this.dataEnd - this.dataStart); // of the pool, where it is small
    this.bytes.copy(copy, 0, this.dataStart, this.dataEnd);
    return copy;
  }

  /** The data alone, in a buffer and a view of their own: they stay valid. */
  detached(): PayloadView {
    const view = new PayloadView();
    view.bytes = this.copyData();
    view.dataEnd = view.bytes.length;
    return view;
  }

  /** The metadata in place: valid only during the callback. */
  metadataBytes(): Buffer {
    return this.bytes.subarray(this.metadataStart, this.metadataEnd);
  }
}

const noBytes = Buffer.alloc(0);
