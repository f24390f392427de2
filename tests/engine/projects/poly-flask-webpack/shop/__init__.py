import json
import pathlib

from flask import Flask, render_template


def create_app():
    app = Flask(__name__, static_folder="../static")
    manifest = json.loads(pathlib.Path("static/manifest.json").read_text())

    @app.route("/")
    def index():
        return render_template("index.html", bundle=manifest["main"])

    return app
