package de.example.wetter;

import com.google.gson.Gson;
import com.sun.net.httpserver.HttpServer;
import java.io.InputStreamReader;
import java.io.Reader;
import java.net.InetSocketAddress;
import java.util.Map;

public class Main {
    public static void main(String[] args) throws Exception {
        final String lang = System.getenv("APP_LANG");
        final Map<?, ?> words;
        try (Reader r = new InputStreamReader(Main.class.getResourceAsStream("/words." + lang + ".json"), "UTF-8")) {
            words = new Gson().fromJson(r, Map.class);
        }
        HttpServer http = HttpServer.create(new InetSocketAddress(8085), 0);
        http.createContext("/", ex -> {
            byte[] b = new Gson().toJson(words).getBytes("UTF-8");
            ex.getResponseHeaders().add("Content-Type", "application/json");
            ex.sendResponseHeaders(200, b.length);
            ex.getResponseBody().write(b);
            ex.close();
        });
        http.start();
    }
}
