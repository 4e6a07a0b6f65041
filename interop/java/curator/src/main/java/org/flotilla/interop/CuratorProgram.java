package org.flotilla.interop;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.apache.curator.framework.CuratorFramework;
import org.apache.curator.framework.CuratorFrameworkFactory;
import org.apache.curator.retry.RetryOneTime;
import org.apache.curator.x.discovery.ServiceDiscovery;
import org.apache.curator.x.discovery.ServiceDiscoveryBuilder;
import org.apache.curator.x.discovery.ServiceInstance;
import org.apache.curator.x.discovery.ServiceProvider;
import org.apache.curator.x.discovery.UriSpec;
import org.apache.curator.x.discovery.details.JsonInstanceSerializer;
import org.springframework.cloud.zookeeper.discovery.ZookeeperInstance;
import org.springframework.cloud.zookeeper.discovery.ZookeeperServiceInstance;

/**
 * Told by lines of its standard input, answers each with a line of JSON:
 * {@code list NAME}, {@code picked NAME} (by Curator's own provider), {@code register NAME ID PORT SSL|-},
 * {@code out NAME ID}, {@code unregister NAME ID}.
 */
public final class CuratorProgram {
  private final ServiceDiscovery<ZookeeperInstance> discovery;
  private final Map<String, ServiceInstance<ZookeeperInstance>> own = new HashMap<>();
  private final ObjectMapper json = new ObjectMapper();

  private CuratorProgram(CuratorFramework client) throws Exception {
    // As Spring Cloud ZooKeeper builds it: DefaultServiceDiscoveryCustomizer.
    discovery =
        ServiceDiscoveryBuilder.builder(ZookeeperInstance.class)
            .client(client)
            .basePath("/services")
            .serializer(new JsonInstanceSerializer<>(ZookeeperInstance.class))
            .build();
    discovery.start();
  }

  public static void main(String[] args) throws Exception {
    CuratorFramework client = CuratorFrameworkFactory.newClient(args[0], 4000, 10000, new RetryOneTime(500));
    client.start();
    client.blockUntilConnected();
    CuratorProgram program = new CuratorProgram(client);
    System.out.println("\"ready\"");
    BufferedReader lines = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    for (String line = lines.readLine(); line != null; line = lines.readLine()) {
      System.out.println(program.json.writeValueAsString(program.answer(line.split(" "))));
    }
    program.discovery.close();
    client.close();
  }

  private Object answer(String[] words) {
    try {
      return switch (words[0]) {
        case "list" -> list(words[1]);
        case "picked" -> picked(words[1]);
        case "register" -> register(words[1], words[2], Integer.parseInt(words[3]), words[4]);
        case "out" -> out(words[1], words[2]);
        case "unregister" -> unregister(words[1], words[2]);
        default -> Map.of("error", "no such command");
      };
    } catch (Exception error) {
      return Map.of("error", String.valueOf(error));
    }
  }

  private List<Map<String, Object>> list(String name) throws Exception {
    List<Map<String, Object>> found = new ArrayList<>();
    for (ServiceInstance<ZookeeperInstance> instance : discovery.queryForInstances(name)) {
      ZookeeperServiceInstance spring = new ZookeeperServiceInstance(name, instance);
      Map<String, Object> facts = new LinkedHashMap<>();
      facts.put("id", instance.getId());
      facts.put("host", spring.getHost());
      facts.put("port", spring.getPort());
      facts.put("secure", spring.isSecure());
      facts.put("uri", spring.getUri().toString());
      facts.put("enabled", instance.isEnabled());
      facts.put("metadata", spring.getMetadata());
      found.add(facts);
    }
    return found;
  }

  private Map<String, Object> picked(String name) throws Exception {
    try (ServiceProvider<ZookeeperInstance> provider =
        discovery.serviceProviderBuilder().serviceName(name).build()) {
      provider.start();
      ServiceInstance<ZookeeperInstance> instance = provider.getInstance();
      return instance == null ? Map.of() : Map.of("id", instance.getId());
    }
  }

  private Map<String, Object> register(String name, String id, int port, String ssl) throws Exception {
    Map<String, String> metadata = new HashMap<>(Map.of("instance_status", "UP", "team", "blue"));
    var builder =
        ServiceInstance.<ZookeeperInstance>builder()
            .name(name)
            .id(id)
            .address("10.0.0.9")
            .port(port)
            .uriSpec(new UriSpec("{scheme}://{address}:{port}"))
            .payload(new ZookeeperInstance(name, name, metadata));
    if (!ssl.equals("-")) {
      builder.sslPort(Integer.parseInt(ssl));
    }
    ServiceInstance<ZookeeperInstance> instance = builder.build();
    own.put(id, instance);
    discovery.registerService(instance);
    return Map.of("registered", id);
  }

  private Map<String, Object> out(String name, String id) throws Exception {
    own.get(id).getPayload().getMetadata().put("instance_status", "OUT_OF_SERVICE");
    discovery.updateService(own.get(id));
    return Map.of("out", id);
  }

  private Map<String, Object> unregister(String name, String id) throws Exception {
    discovery.unregisterService(own.remove(id));
    return Map.of("unregistered", id);
  }
}
