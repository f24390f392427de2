package org.example.stats;

import java.util.Map;
import java.util.TreeMap;

public class Totals {
    static Map<String, Integer> byCustomer(Order[] orders) {
        Map<String, Integer> out = new TreeMap<>();
        for (Order o : orders) {
            out.merge(o.customer, o.cents, Integer::sum);
        }
        return out;
    }
}
