package org.flotilla.interop;

import static org.flotilla.interop.Told.tell;
import static org.flotilla.interop.Told.watched;

import io.rsocket.exceptions.ApplicationErrorException;
import io.rsocket.exceptions.CustomRSocketException;
import io.rsocket.exceptions.InvalidException;
import io.rsocket.exceptions.RejectedException;
import org.flotilla.interop.Book.Amount;
import org.flotilla.interop.Book.Count;
import org.flotilla.interop.Book.Failure;
import org.flotilla.interop.Book.Key;
import org.flotilla.interop.Book.Sum;
import org.springframework.messaging.handler.annotation.MessageMapping;
import org.springframework.messaging.handler.annotation.Payload;
import org.springframework.messaging.rsocket.RSocketRequester;
import org.springframework.stereotype.Controller;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/** Handlers as a Spring application has them: one for each way to call, and some that fail or never end. */
@Controller
@MessageMapping("books")
class BooksController {
  @MessageMapping("find")
  Mono<Book> find(@Payload Key key) {
    return Mono.just(new Book(key.id(), "The Book of " + key.id(), 321));
  }

  /** Completes without a value. */
  @MessageMapping("lose")
  Mono<Book> lose(@Payload Key key) {
    return Mono.empty();
  }

  @MessageMapping("fail")
  Mono<Book> fail(@Payload Failure failure) {
    return Mono.error(switch (failure.how()) {
      case "rejected" -> new RejectedException("not now");
      case "invalid" -> new InvalidException("not like this");
      case "application" -> new ApplicationErrorException("it went wrong");
      case "custom" -> new CustomRSocketException(0x301, "by agreement");
      default -> new IllegalStateException("boom");
    });
  }

  /** Never answers. */
  @MessageMapping("wait")
  Mono<Book> waitFor(@Payload Key key) {
    tell("handler", "wait", "began", key.id());
    return watched("handler", "wait", Mono.never());
  }

  /** A title of that many characters. */
  @MessageMapping("big")
  Mono<Book> big(@Payload Count count) {
    return Mono.just(new Book("big", "x".repeat(count.n()), count.n()));
  }

  @MessageMapping("list")
  Flux<Book> list(@Payload Count count) {
    return watched("handler", "list", Flux.range(1, count.n()).map(Book::numbered));
  }

  /** As many as are wanted, for ever. */
  @MessageMapping("endless")
  Flux<Book> endless(@Payload Count from) {
    Flux<Book> books = Flux.generate(from::n, (n, sink) -> {
      sink.next(Book.numbered(n));
      return n + 1;
    });
    return watched("handler", "endless", books);
  }

  /** That many, then an error. */
  @MessageMapping("tear")
  Flux<Book> tear(@Payload Count count) {
    return Flux.range(1, count.n()).map(Book::numbered)
        .concatWith(Mono.error(new IllegalStateException("torn after " + count.n())));
  }

  @MessageMapping("sum")
  Mono<Sum> sum(@Payload Flux<Amount> amounts) {
    return watched("handler", "sum", amounts)
        .reduce(new Sum(0, 0), (sum, amount) -> new Sum(sum.total() + amount.value(), sum.count() + 1));
  }

  @MessageMapping("rename")
  Flux<Book> rename(@Payload Flux<Book> books) {
    return watched("handler", "rename", books)
        .map((book) -> new Book(book.id(), "Renamed " + book.title(), book.pages()));
  }

  /** Takes two, then wants no more. */
  @MessageMapping("two")
  Flux<Book> two(@Payload Flux<Book> books) {
    return watched("handler", "two", books).take(2);
  }

  @MessageMapping("note")
  Mono<Void> note(@Payload Book book) {
    tell("handler", "note", "noted", book.title());
    return Mono.empty();
  }

  /** What the caller answers when it is asked back on the same connection. */
  @MessageMapping("ask")
  Mono<Book> ask(@Payload Key key, RSocketRequester caller) {
    return caller.route("reader.prefers").data(key).retrieveMono(Book.class);
  }
}
