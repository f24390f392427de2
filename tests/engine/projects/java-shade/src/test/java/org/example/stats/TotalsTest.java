package org.example.stats;

import static org.junit.Assert.assertEquals;

import org.junit.Test;

public class TotalsTest {
    @Test
    public void sums() {
        Order[] o = {new Order("a", 1), new Order("a", 2)};
        assertEquals(3, (int) Totals.byCustomer(o).get("a"));
    }
}
