package org.flotilla.bench;

import com.sun.management.OperatingSystemMXBean;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.lang.management.ManagementFactory;

/** Talks to the bench in lines: one JSON object when it is ready, then one for each line that asks `run <ms>` or `count`. */
final class Harness {
    interface Answers {
        String answer(String asked, long ms) throws Exception;
    }

    static void serve(String ready, Answers answers) throws Exception {
        PrintStream out = System.out;
        out.println(ready);
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in));
        for (String line = in.readLine(); line != null && !line.equals("stop"); line = in.readLine()) {
            String[] words = line.split(" ");
            out.println(answers.answer(words[0], words.length > 1 ? Long.parseLong(words[1]) : 0));
        }
        Runtime.getRuntime().halt(0);
    }

    /** User and system time of this process so far. */
    static long cpuNs() {
        return ((OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean()).getProcessCpuTime();
    }
}
