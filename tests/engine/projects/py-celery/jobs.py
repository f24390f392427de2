import os
from celery import Celery
app = Celery("jobs", broker="memory://")
def web(environ, start):
    open("touched", "w").write("x")
    start("200 OK", [("Content-Type", "text/plain")]); return [b"jobs"]
