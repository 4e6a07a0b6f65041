package org.flotilla.bench;

/** What every subject of the row serves. */
public interface Catalog {
    Product product(String id, int quantity);
}
