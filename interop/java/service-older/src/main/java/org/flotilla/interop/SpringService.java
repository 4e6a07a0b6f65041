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
import org.springframework.web.client.RestTemplate;

@SpringBootApplication
@EnableFeignClients
@RestController
public class SpringService {
  private final String name;
  private final RestTemplate restTemplate;
  private final FeignGreetings feign;

  public SpringService(
      @Value("${spring.application.name}") String name, RestTemplate loadBalancedRestTemplate, FeignGreetings feign) {
    this.name = name;
    this.restTemplate = loadBalancedRestTemplate;
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

  /** What another service says to the same request, asked by its name with RestTemplate. */
  @GetMapping("/by-rest-template/{service}/{whom}")
  Greeting greetByRestTemplate(@PathVariable String service, @PathVariable String whom) {
    return restTemplate.getForObject("http://" + service + "/greetings/{whom}", Greeting.class, whom);
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
  RestTemplate loadBalancedRestTemplate() {
    return new RestTemplate();
  }
}
