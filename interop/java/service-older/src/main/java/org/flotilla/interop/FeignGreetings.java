package org.flotilla.interop;

import org.springframework.cloud.openfeign.FeignClient;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.PathVariable;
import org.springframework.web.bind.annotation.PostMapping;
import org.springframework.web.bind.annotation.RequestBody;

/** Another service, called by its name: that of the property "callee". */
@FeignClient(name = "${callee:greeter}")
public interface FeignGreetings {
  @GetMapping("/greetings/{name}")
  Greeting greet(@PathVariable("name") String name);

  @PostMapping("/echo")
  Greeting echo(@RequestBody Greeting greeting);
}
