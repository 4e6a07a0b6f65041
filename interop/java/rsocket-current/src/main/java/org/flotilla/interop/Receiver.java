package org.flotilla.interop;

import static org.flotilla.interop.Told.describe;
import static org.flotilla.interop.Told.tell;

import org.reactivestreams.Subscription;
import reactor.core.publisher.BaseSubscriber;
import reactor.core.publisher.SignalType;

/** Tells what a call receives, and asks for as much as it is told. */
class Receiver extends BaseSubscriber<Object> {
  private final Object call;
  private final long first;
  private final Runnable whenOver;

  Receiver(Object call, long first, Runnable whenOver) {
    this.call = call;
    this.first = first;
    this.whenOver = whenOver;
  }

  @Override
  protected void hookOnSubscribe(Subscription subscription) {
    if (first > 0) {
      request(first);
    }
  }

  @Override
  protected void hookOnNext(Object item) {
    tell("call", call, "item", item instanceof Book book ? members(book) : item instanceof Book.Sum sum ? members(sum) : item);
  }

  @Override
  protected void hookOnComplete() {
    tell("call", call, "ended", true);
  }

  @Override
  protected void hookOnError(Throwable thrown) {
    tell("call", call, "failed", describe(thrown));
  }

  @Override
  protected void hookOnCancel() {
    tell("call", call, "cancelled", true);
  }

  @Override
  protected void hookFinally(SignalType type) {
    whenOver.run();
  }

  private static Object members(Book book) {
    return java.util.Map.of("id", book.id(), "title", book.title(), "pages", book.pages());
  }

  private static Object members(Book.Sum sum) {
    return java.util.Map.of("total", sum.total(), "count", sum.count());
  }
}
