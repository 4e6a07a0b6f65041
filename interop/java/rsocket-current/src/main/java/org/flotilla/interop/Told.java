package org.flotilla.interop;

import java.util.LinkedHashMap;
import java.util.Map;
import io.rsocket.RSocketErrorException;
import org.springframework.boot.json.JsonWriter;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/** What happened, as one line of JSON on standard output. */
final class Told {
  private static final JsonWriter<Map<String, Object>> LINE = JsonWriter.of((members) -> members.addMapEntries((m) -> m));

  private Told() {}

  /** {@code tell("call", 7, "item", …)} → <code>{"call":7,"item":…}</code> */
  static void tell(Object... members) {
    Map<String, Object> line = new LinkedHashMap<>();
    for (int i = 0; i < members.length; i += 2) {
      line.put((String) members[i], members[i + 1]);
    }
    String text = LINE.writeToString(line);
    synchronized (System.out) {
      System.out.println(text);
      System.out.flush();
    }
  }

  /** An error as RSocket knows it; one without a code is of another class, which is named. */
  static Map<String, Object> describe(Throwable thrown) {
    Map<String, Object> error = new LinkedHashMap<>();
    error.put("type", thrown.getClass().getSimpleName());
    error.put("code", thrown instanceof RSocketErrorException known ? known.errorCode() : null);
    error.put("message", thrown.getMessage());
    return error;
  }

  /** Tells how many elements are wanted, and of a cancel. */
  static <T> Flux<T> watched(String key, Object name, Flux<T> flux) {
    return flux
        .doOnRequest((n) -> tell(key, name, "wanted", n))
        .doOnCancel(() -> tell(key, name, "cancelled", true));
  }

  static <T> Mono<T> watched(String key, Object name, Mono<T> mono) {
    return mono.doOnCancel(() -> tell(key, name, "cancelled", true));
  }
}
