import pathlib
import platformdirs
from flask import Flask
app = Flask(__name__)
cache = pathlib.Path(platformdirs.user_cache_dir("report")); cache.mkdir(parents=True, exist_ok=True)
@app.get("/")
def home():
    (cache / "x").write_text("1")
    return "cached"
