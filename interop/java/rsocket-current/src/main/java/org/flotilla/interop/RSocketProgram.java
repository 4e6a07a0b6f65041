package org.flotilla.interop;

import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.SpringBootApplication;

/**
 * Serves {@link BooksController} when it is given {@code --spring.rsocket.server.port}, and calls others as the lines of
 * its standard input say ({@link Commands}). What happens is told in lines of JSON ({@link Told}) between those of the log.
 */
@SpringBootApplication
public class RSocketProgram {
  public static void main(String[] args) {
    SpringApplication.run(RSocketProgram.class, args);
  }
}
