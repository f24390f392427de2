use tiny_http::{Header, Response, Server};

mod pick;

fn main() {
    let path = std::env::var("QUOTES").unwrap_or_else(|_| "quotes.txt".to_string());
    let text = std::fs::read_to_string(&path).expect("quotes");
    let quotes: Vec<&str> = text.lines().filter(|l| !l.is_empty()).collect();
    let server = Server::http("0.0.0.0:8000").expect("listen");
    for request in server.incoming_requests() {
        let body = format!("{}\n", pick::pick(&quotes, request.url()));
        let header = Header::from_bytes(&b"Content-Type"[..], &b"text/plain"[..]).unwrap();
        let _ = request.respond(Response::from_string(body).with_header(header));
    }
}
