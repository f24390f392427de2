use std::{env, fs, net::SocketAddr, sync::Arc};

use axum::{extract::Path, extract::State, http::StatusCode, routing::get, Router};

mod settings;

use settings::Settings;

async fn health() -> &'static str {
    "ok\n"
}

async fn hive(State(s): State<Arc<Settings>>, Path(name): Path<String>) -> (StatusCode, String) {
    match s.get(&format!("hive.{name}")) {
        Some(v) => (StatusCode::OK, format!("{name}: {v} bees\n")),
        None => (StatusCode::NOT_FOUND, "no such hive\n".to_string()),
    }
}

#[tokio::main]
async fn main() {
    let environment = env::var("APP_ENVIRONMENT").unwrap_or_else(|_| "local".into());
    let text = fs::read_to_string(format!("configuration/{environment}.conf")).expect("configuration");
    let settings = Arc::new(Settings::parse(&text));
    let port: u16 = settings.get("port").and_then(|p| p.parse().ok()).unwrap_or(8000);
    let app = Router::new()
        .route("/health", get(health))
        .route("/hives/:name", get(hive))
        .with_state(settings);
    axum::Server::bind(&SocketAddr::from(([0, 0, 0, 0], port)))
        .serve(app.into_make_service())
        .with_graceful_shutdown(async {
            let mut term = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()).unwrap();
            term.recv().await;
        })
        .await
        .unwrap();
}
