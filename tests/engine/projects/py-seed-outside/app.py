import settings
from bottle import route, run
@route("/")
def home():
    return open(settings.HOME + "/seed.json").read()
run(host="0.0.0.0", port=8000)
