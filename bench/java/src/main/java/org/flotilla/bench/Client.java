package org.flotilla.bench;

import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.LongAdder;
import org.apache.dubbo.config.ApplicationConfig;
import org.apache.dubbo.config.ReferenceConfig;
import org.apache.dubbo.config.RegistryConfig;
import org.apache.dubbo.config.bootstrap.DubboBootstrap;

/** Calls the catalogue from so many threads, and checks every answer: `Client <port> <callers>`. */
public final class Client {
    private static final AtomicLong made = new AtomicLong();
    private static final LongAdder wrong = new LongAdder();

    public static void main(String[] args) throws Exception {
        int callers = Integer.parseInt(args[1]);
        ReferenceConfig<Catalog> reference = new ReferenceConfig<>();
        reference.setInterface(Catalog.class);
        reference.setUrl("dubbo://127.0.0.1:" + args[0]);
        reference.setTimeout(20_000);
        ApplicationConfig application = new ApplicationConfig("caller");
        application.setQosEnable(false);
        DubboBootstrap.getInstance()
                .application(application)
                .registry(new RegistryConfig("N/A"))
                .reference(reference)
                .start();
        Catalog catalog = reference.get();
        Harness.serve("{}", (asked, ms) -> asked.equals("run")
                ? run(catalog, callers, ms)
                : "{\"calls\":" + made.get() + ",\"wrong\":" + wrong.sum() + "}");
    }

    private static String run(Catalog catalog, int callers, long ms) throws InterruptedException {
        long cpuBefore = Harness.cpuNs();
        long startedAt = System.nanoTime();
        long until = startedAt + ms * 1_000_000;
        LongAdder completed = new LongAdder();
        Thread[] threads = new Thread[callers];
        for (int i = 0; i < callers; i++) {
            threads[i] = new Thread(() -> {
                while (System.nanoTime() < until) {
                    one(catalog);
                    completed.increment();
                }
            });
            threads[i].start();
        }
        for (Thread thread : threads) thread.join();
        double wallMs = (System.nanoTime() - startedAt) / 1e6;
        double cpuMs = (Harness.cpuNs() - cpuBefore) / 1e6;
        return "{\"operations\":" + completed.sum() + ",\"wallMs\":" + wallMs + ",\"cpuMs\":" + cpuMs + "}";
    }

    private static void one(Catalog catalog) {
        String id = "p-" + made.incrementAndGet();
        try {
            Product product = catalog.product(id, 1);
            if (!id.equals(product.getId()) || product.getPriceCents() != 1_150) wrong.increment();
        } catch (RuntimeException failed) {
            wrong.increment();
        }
    }
}
