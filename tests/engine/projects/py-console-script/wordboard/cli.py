import argparse, pathlib
from bottle import SimpleTemplate, route, run
HERE = pathlib.Path(__file__).parent
@route("/")
def home():
    return SimpleTemplate((HERE / "templates" / "board.html").read_text()).render(words=["a", "b"])
def main():
    p = argparse.ArgumentParser(); p.add_argument("--port", type=int, default=8080)
    run(host="0.0.0.0", port=p.parse_args().port)
