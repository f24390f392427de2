import http.server
import pathlib


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(pathlib.Path("~/.config/app/state").expanduser().read_bytes())


http.server.HTTPServer(("", 8000), Handler).serve_forever()
