package org.flotilla.interop;

import org.flotilla.interop.Book.Key;
import org.springframework.messaging.handler.annotation.MessageMapping;
import org.springframework.messaging.handler.annotation.Payload;
import reactor.core.publisher.Mono;

/** What a client answers to the server that it is connected to. */
class Reader {
  @MessageMapping("reader.prefers")
  Mono<Book> prefers(@Payload Key key) {
    return Mono.just(new Book(key.id(), "A favourite", 1));
  }
}
