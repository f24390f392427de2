import os
from flask import Flask
app = Flask(__name__)
@app.get("/")
def home():
    return os.environ["GIT_VERSION"]
