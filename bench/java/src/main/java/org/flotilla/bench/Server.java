package org.flotilla.bench;

import java.util.concurrent.atomic.LongAdder;
import org.apache.dubbo.config.ApplicationConfig;
import org.apache.dubbo.config.ProtocolConfig;
import org.apache.dubbo.config.RegistryConfig;
import org.apache.dubbo.config.ServiceConfig;
import org.apache.dubbo.config.bootstrap.DubboBootstrap;

/** Serves the catalogue over the protocol `dubbo` on 127.0.0.1: `Server <port>`. */
public final class Server {
    public static void main(String[] args) throws Exception {
        int port = Integer.parseInt(args[0]);
        LongAdder handled = new LongAdder();
        ServiceConfig<Catalog> service = new ServiceConfig<>();
        service.setInterface(Catalog.class);
        service.setRef((id, quantity) -> {
            handled.increment();
            return Product.of(id);
        });
        ProtocolConfig protocol = new ProtocolConfig("dubbo", port);
        protocol.setHost("127.0.0.1");
        ApplicationConfig application = new ApplicationConfig("catalog");
        application.setQosEnable(false);
        DubboBootstrap.getInstance()
                .application(application)
                .registry(new RegistryConfig("N/A"))
                .protocol(protocol)
                .service(service)
                .start();
        Harness.serve("{\"port\":" + port + "}", (asked, ms) -> "{\"handled\":" + handled.sum() + "}");
    }
}
