"""Short notes over HTTP, kept in PostgreSQL, or in memory where no DATABASE_URL is set."""

import os

import psycopg2
from flask import Flask, jsonify, request

app = Flask(__name__)
URL = os.environ.get("DATABASE_URL")
MEMORY = ["Water the plants", "Call the landlord"]


def connect():
    connection = psycopg2.connect(URL)
    with connection, connection.cursor() as cursor:
        cursor.execute("CREATE TABLE IF NOT EXISTS notes (id serial PRIMARY KEY, text text NOT NULL)")
    return connection


@app.get("/")
def title():
    return jsonify(title=os.environ.get("NOTES_TITLE"), store="postgresql" if URL else "memory")


@app.get("/notes")
def notes():
    if not URL:
        return jsonify(MEMORY)
    with connect() as connection, connection.cursor() as cursor:
        cursor.execute("SELECT text FROM notes ORDER BY id")
        return jsonify([row[0] for row in cursor.fetchall()])


@app.post("/notes")
def add():
    text = request.get_json()["text"]
    if URL:
        with connect() as connection, connection.cursor() as cursor:
            cursor.execute("INSERT INTO notes (text) VALUES (%s)", (text,))
    else:
        MEMORY.append(text)
    return jsonify(text=text), 201


@app.get("/health")
def health():
    return jsonify(libpq=psycopg2.extensions.libpq_version() > 0)
