import click
from waitress import serve as run
@click.group()
def cli(): pass
@cli.command()
def serve():
    def app(environ, start):
        start("200 OK", [("Content-Type", "text/plain")]); return [b"tally\n"]
    run(app, listen="0.0.0.0:8000")
if __name__ == "__main__":
    cli()
