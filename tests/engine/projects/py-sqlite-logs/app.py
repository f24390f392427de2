import http.server
import logging
import os
import sqlite3

os.makedirs("logs", exist_ok=True)
logging.basicConfig(filename="logs/app.log", level=logging.INFO)
db = sqlite3.connect("notes.db", check_same_thread=False)
db.execute("create table if not exists notes (text)")


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        db.execute("insert into notes values (?)", (self.path,))
        db.commit()
        logging.info("seen %s", self.path)
        body = f"{db.execute('select count(*) from notes').fetchone()[0] > 0}, logged {os.path.getsize('logs/app.log') > 0}".encode()
        self.send_response(200)
        self.end_headers()
        self.wfile.write(body)


http.server.ThreadingHTTPServer(("", 8000), Handler).serve_forever()
