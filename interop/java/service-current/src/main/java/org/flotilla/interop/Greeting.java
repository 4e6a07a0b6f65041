package org.flotilla.interop;

/** What services of this suite say to each other. */
public record Greeting(String text, String from) {}
