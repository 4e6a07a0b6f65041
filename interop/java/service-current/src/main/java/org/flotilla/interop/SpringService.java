package org.flotilla.interop;

import org.springframework.beans.factory.annotation.Value;
import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.SpringBootApplication;
import org.springframework.cloud.client.loadbalancer.LoadBalanced;
import org.springframework.cloud.openfeign.EnableFeignClients;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.PathVariable;
import org.springframework.web.bind.annotation.PostMapping;
import org.springframework.web.bind.annotation.RequestBody;
import org.springframework.web.bind.annotation.RestController;
import org.springframework.web.client.RestClient;

@SpringBootApplication
@EnableFeignClients
@RestController
public class SpringService {
  private final String name;
  private final RestClient.Builder restClient;
  private final FeignGreetings feign;

  public SpringService(
      @Value("${spring.application.name}") String name, RestClient.Builder loadBalancedRestClient, FeignGreetings feign) {
    this.name = name;
    this.restClient = loadBalancedRestClient;
    this.feign = feign;
  }

  public static void main(String[] args) {
    SpringApplication.run(SpringService.class, args);
  }

  @GetMapping("/greetings/{whom}")
  Greeting greet(@PathVariable String whom) {
    return new Greeting("Hello, " + whom + "!", name);
  }

  @PostMapping("/echo")
  Greeting echo(@RequestBody Greeting greeting) {
    return new Greeting(greeting.text(), name);
  }

  /** What another service says to the same request, asked by its name with RestClient. */
  @GetMapping("/by-rest-client/{service}/{whom}")
  Greeting greetByRestClient(@PathVariable String service, @PathVariable String whom) {
    return restClient.build().get().uri("http://" + service + "/greetings/{whom}", whom).retrieve().body(Greeting.class);
  }

  @GetMapping("/by-feign/{whom}")
  Greeting greetByFeign(@PathVariable String whom) {
    return feign.greet(whom);
  }

  @PostMapping("/by-feign/echo")
  Greeting echoByFeign(@RequestBody Greeting greeting) {
    return feign.echo(greeting);
  }
}

/** Apart from the controller, which asks for it. */
@Configuration(proxyBeanMethods = false)
class LoadBalancedClients {
  @Bean
  @LoadBalanced
  RestClient.Builder loadBalancedRestClient() {
    return RestClient.builder();
  }
}
