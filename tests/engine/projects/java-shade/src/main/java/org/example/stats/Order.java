package org.example.stats;

public class Order {
    public String customer;
    public int cents;

    public Order() {
    }

    public Order(String customer, int cents) {
        this.customer = customer;
        this.cents = cents;
    }
}
