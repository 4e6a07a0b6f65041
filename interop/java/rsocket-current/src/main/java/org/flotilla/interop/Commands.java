package org.flotilla.interop;

import static org.flotilla.interop.Told.describe;
import static org.flotilla.interop.Told.tell;
import static org.flotilla.interop.Told.watched;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.flotilla.interop.Book.Amount;
import org.flotilla.interop.Book.Count;
import org.flotilla.interop.Book.Failure;
import org.flotilla.interop.Book.Key;
import org.reactivestreams.Publisher;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.boot.CommandLineRunner;
import org.springframework.boot.json.JsonParser;
import org.springframework.boot.json.JsonParserFactory;
import org.springframework.core.ParameterizedTypeReference;
import org.springframework.http.MediaType;
import org.springframework.messaging.rsocket.RSocketRequester;
import org.springframework.messaging.rsocket.RSocketStrategies;
import org.springframework.messaging.rsocket.annotation.support.RSocketMessageHandler;
import org.springframework.messaging.rsocket.service.RSocketServiceProxyFactory;
import org.springframework.stereotype.Component;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Sinks;

/**
 * Calls others as it is told, one command a line:
 * <ul>
 * <li><code>{"connect":"a","port":7000,"mime":"application/json","fragmentSize":64}</code>; without {@code mime}, Boot's default
 * <li><code>{"call":7,"on":"a","interaction":"response|stream|channel|send","route":"books.find","data":{…}}</code>
 * <li><code>{"call":7,"on":"a","method":"find","data":{…}}</code>: through the interface
 * <li><code>{"call":7,"push":{…}}</code>, <code>{"call":7,"end":true}</code>, <code>{"call":7,"tear":true}</code>: of what a call sends
 * <li><code>{"call":7,"more":2}</code>, <code>{"call":7,"cancel":true}</code>: of what a call receives
 * <li><code>{"dispose":"a"}</code>
 * </ul>
 * A call takes all it gets, unless {@code first} says how many it wants at first; {@code items} are sent at once, and
 * {@code open} says that more will be pushed. {@code timeoutMs} is the caller's own.
 */
@Component
class Commands implements CommandLineRunner {
  private static final ParameterizedTypeReference<Map<String, Object>> ANYTHING = new ParameterizedTypeReference<>() {};

  private final JsonParser json = JsonParserFactory.getJsonParser();
  /** A new one for each requester: what a builder is told stays with it. */
  private final ObjectProvider<RSocketRequester.Builder> builders;
  private final RSocketStrategies strategies;
  private final Map<String, RSocketRequester> requesters = new ConcurrentHashMap<>();
  private final Map<Object, Sinks.Many<Map<String, Object>>> sending = new ConcurrentHashMap<>();
  private final Map<Object, Receiver> receiving = new ConcurrentHashMap<>();

  Commands(ObjectProvider<RSocketRequester.Builder> builders, RSocketStrategies strategies) {
    this.builders = builders;
    this.strategies = strategies;
  }

  @Override
  public void run(String... args) {
    new Thread(this::readCommands, "commands").start();
  }

  private void readCommands() {
    try (BufferedReader lines = new BufferedReader(new InputStreamReader(System.in))) {
      for (String line = lines.readLine(); line != null; line = lines.readLine()) {
        try {
          obey(json.parseMap(line));
        } catch (RuntimeException refused) {
          tell("refused", line, "failed", describe(refused));
        }
      }
    } catch (IOException error) {
      throw new IllegalStateException("no more commands can be read", error);
    }
  }

  private void obey(Map<String, Object> command) {
    if (command.containsKey("connect")) {
      requesters.put((String) command.get("connect"), connect(command));
      tell("connect", command.get("connect"));
    } else if (command.containsKey("dispose")) {
      requesters.remove(command.get("dispose")).dispose();
      tell("dispose", command.get("dispose"));
    } else if (command.containsKey("on")) {
      begin(command);
    } else if (command.containsKey("push")) {
      sending.get(command.get("call")).tryEmitNext(object(command.get("push"))).orThrow();
    } else if (command.containsKey("end")) {
      sending.remove(command.get("call")).tryEmitComplete();
    } else if (command.containsKey("tear")) {
      sending.remove(command.get("call")).tryEmitError(new IllegalStateException("the sender gave up"));
    } else if (command.containsKey("more")) {
      receiver(command).request(number(command.get("more")));
    } else if (command.containsKey("cancel")) {
      receiver(command).cancel();
    } else {
      throw new IllegalArgumentException("no such command: " + command);
    }
  }

  private Receiver receiver(Map<String, Object> command) {
    Receiver receiver = receiving.get(command.get("call"));
    if (receiver == null) {
      throw new IllegalArgumentException("the call is over, or was never made: " + command);
    }
    return receiver;
  }

  private RSocketRequester connect(Map<String, Object> command) {
    RSocketRequester.Builder own = builders.getObject().rsocketConnector((connector) -> {
      connector.acceptor(RSocketMessageHandler.responder(strategies, new Reader()));
      if (command.get("fragmentSize") != null) {
        connector.fragment(number(command.get("fragmentSize")));
      }
      if (command.get("keepAliveMs") != null) {
        Duration interval = Duration.ofMillis(number(command.get("keepAliveMs")));
        connector.keepAlive(interval, interval.multipliedBy(5));
      }
    });
    if (command.get("mime") != null) {
      own = own.dataMimeType(MediaType.valueOf((String) command.get("mime")));
    }
    return own.tcp("127.0.0.1", number(command.get("port")));
  }

  private void begin(Map<String, Object> command) {
    Object id = command.get("call");
    Publisher<?> answer;
    try {
      answer = command.containsKey("method") ? invoke(id, command) : request(id, command);
    } catch (RuntimeException refused) {
      tell("call", id, "failed", describe(refused));
      return;
    }
    Flux<?> items = Flux.from(answer);
    if (command.get("timeoutMs") != null) {
      items = items.timeout(Duration.ofMillis(number(command.get("timeoutMs"))));
    }
    long first = command.get("first") == null ? Long.MAX_VALUE : number(command.get("first"));
    Receiver receiver = new Receiver(id, first, () -> {
      receiving.remove(id);
      sending.remove(id);
    });
    receiving.put(id, receiver);
    items.subscribe(receiver);
  }

  private Publisher<?> request(Object id, Map<String, Object> command) {
    RSocketRequester.RequestSpec spec = requesters.get(command.get("on")).route((String) command.get("route"));
    String interaction = (String) command.get("interaction");
    RSocketRequester.RetrieveSpec ready = spec;
    if (command.containsKey("items")) {
      ready = spec.data(items(id, command), ANYTHING);
    } else if (command.get("data") != null) {
      ready = spec.data(command.get("data"));
    }
    return switch (interaction) {
      case "response" -> ready.retrieveMono(ANYTHING);
      case "stream", "channel" -> ready.retrieveFlux(ANYTHING);
      case "send" -> command.get("data") == null ? spec.send() : spec.data(command.get("data")).send();
      default -> throw new IllegalArgumentException("no such interaction: " + interaction);
    };
  }

  private Publisher<?> invoke(Object id, Map<String, Object> command) {
    Books books = RSocketServiceProxyFactory.builder(requesters.get(command.get("on"))).build().createClient(Books.class);
    Map<String, Object> data = object(command.get("data"));
    return switch ((String) command.get("method")) {
      case "find" -> books.find(new Key((String) data.get("id")));
      case "fail" -> books.fail(new Failure((String) data.get("how")));
      case "list" -> books.list(new Count(number(data.get("n"))));
      case "sum" -> books.sum(items(id, command).map((item) -> new Amount(number(item.get("value")))));
      case "rename" -> books.rename(items(id, command).map(Commands::book));
      case "note" -> books.note(book(data));
      default -> throw new IllegalArgumentException("no such method: " + command.get("method"));
    };
  }

  /** What a call sends: what is named at once, then what is pushed, as far as the other side wants it. */
  private Flux<Map<String, Object>> items(Object id, Map<String, Object> command) {
    Flux<Map<String, Object>> items = Flux.fromIterable((List<?>) command.get("items")).map(Commands::object);
    if (Boolean.TRUE.equals(command.get("open"))) {
      Sinks.Many<Map<String, Object>> pushed = Sinks.many().unicast().onBackpressureBuffer();
      sending.put(id, pushed);
      items = items.concatWith(pushed.asFlux());
    }
    return watched("sent", id, items);
  }

  private static Book book(Map<String, Object> data) {
    return new Book((String) data.get("id"), (String) data.get("title"), number(data.get("pages")));
  }

  @SuppressWarnings("unchecked")
  private static Map<String, Object> object(Object value) {
    return (Map<String, Object>) value;
  }

  private static int number(Object value) {
    return ((Number) value).intValue();
  }
}
