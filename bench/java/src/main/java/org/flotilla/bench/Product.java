package org.flotilla.bench;

import java.io.Serializable;

/** The answer of every subject. */
public class Product implements Serializable {
    private static final long serialVersionUID = 1;

    private String id;
    private String name;
    private String description;
    private int priceCents;
    private String currency;
    private boolean inStock;

    public static Product of(String id) {
        Product product = new Product();
        product.id = id;
        product.name = "Harbour rice bowl";
        product.description = "rice, pickled radish, spring onion, sesame";
        product.priceCents = 1_150;
        product.currency = "EUR";
        product.inStock = true;
        return product;
    }

    public String getId() { return id; }
    public void setId(String id) { this.id = id; }
    public String getName() { return name; }
    public void setName(String name) { this.name = name; }
    public String getDescription() { return description; }
    public void setDescription(String description) { this.description = description; }
    public int getPriceCents() { return priceCents; }
    public void setPriceCents(int priceCents) { this.priceCents = priceCents; }
    public String getCurrency() { return currency; }
    public void setCurrency(String currency) { this.currency = currency; }
    public boolean isInStock() { return inStock; }
    public void setInStock(boolean inStock) { this.inStock = inStock; }
}
