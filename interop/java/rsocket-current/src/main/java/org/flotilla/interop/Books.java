package org.flotilla.interop;

import org.flotilla.interop.Book.Amount;
import org.flotilla.interop.Book.Count;
import org.flotilla.interop.Book.Failure;
import org.flotilla.interop.Book.Key;
import org.flotilla.interop.Book.Sum;
import org.springframework.messaging.handler.annotation.Payload;
import org.springframework.messaging.rsocket.service.RSocketExchange;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/** The same routes, called through an interface. */
@RSocketExchange("books")
interface Books {
  @RSocketExchange("find")
  Mono<Book> find(@Payload Key key);

  @RSocketExchange("fail")
  Mono<Book> fail(@Payload Failure failure);

  @RSocketExchange("list")
  Flux<Book> list(@Payload Count count);

  /** Spring has no interaction of many messages and one answer: its callers take a stream of one. */
  @RSocketExchange("sum")
  Flux<Sum> sum(@Payload Flux<Amount> amounts);

  @RSocketExchange("rename")
  Flux<Book> rename(@Payload Flux<Book> books);

  @RSocketExchange("note")
  Mono<Void> note(@Payload Book book);
}
