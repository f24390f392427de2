import configparser
import http.server
import urllib.parse

import cffi
import click

ffi = cffi.FFI()
ffi.cdef("size_t strlen(const char *);")
libc = ffi.dlopen(None)


@click.group()
def main():
    pass


@main.command()
@click.option("--rules", type=click.Path(exists=True))
@click.option("--port", type=int, default=8000)
def serve(rules, port):
    cfg = configparser.ConfigParser()
    cfg.read(rules)
    limit = cfg.getint("limits", "length")

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            q = urllib.parse.parse_qs(urllib.parse.urlsplit(self.path).query)
            mail = q.get("mail", ["nobody@example.org"])[0]
            n = libc.strlen(mail.encode())
            ok = "@" in mail and n <= limit
            body = f"{mail} {n} {'ok' if ok else 'bad'}\n".encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    http.server.ThreadingHTTPServer(("0.0.0.0", port), Handler).serve_forever()
