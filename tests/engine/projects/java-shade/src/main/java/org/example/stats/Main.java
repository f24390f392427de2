package org.example.stats;

import com.google.gson.Gson;
import java.io.Reader;
import java.nio.file.Files;
import java.nio.file.Paths;
import java.util.Map;

public class Main {
    public static void main(String[] args) throws Exception {
        if (args.length != 1) {
            System.err.println("usage: stats FILE");
            System.exit(2);
        }
        try (Reader in = Files.newBufferedReader(Paths.get(args[0]))) {
            Order[] orders = new Gson().fromJson(in, Order[].class);
            for (Map.Entry<String, Integer> e : Totals.byCustomer(orders).entrySet()) {
                System.out.printf("%-8s %6d%n", e.getKey(), e.getValue());
            }
        }
    }
}
