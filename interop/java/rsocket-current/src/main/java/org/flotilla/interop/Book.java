package org.flotilla.interop;

/** What the handlers and the interface speak of. */
public record Book(String id, String title, int pages) {
  record Key(String id) {}

  /** How many. */
  record Count(int n) {}

  record Amount(int value) {}

  record Sum(int total, int count) {}

  /** In which way to fail. */
  record Failure(String how) {}

  /** The n-th of an endless shelf. */
  static Book numbered(int n) {
    return new Book("b" + n, "Volume " + n, n * 100);
  }
}
