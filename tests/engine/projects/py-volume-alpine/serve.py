import http.server
import os


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        with open("/var/lib/counter/count", "a") as f:
            f.write("x")
        self.send_response(200)
        self.end_headers()
        self.wfile.write(str(os.path.getsize("/var/lib/counter/count") > 0).encode())


http.server.HTTPServer(("", 8000), Handler).serve_forever()
