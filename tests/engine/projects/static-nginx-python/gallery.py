#!/usr/bin/env python3
import argparse
import pathlib
import shutil

import jinja2
import yaml

ap = argparse.ArgumentParser()
ap.add_argument("--out", required=True)
out = pathlib.Path(ap.parse_args().out)
here = pathlib.Path(__file__).parent
env = jinja2.Environment(loader=jinja2.FileSystemLoader(str(here / "tpl")), autoescape=True)
pictures = yaml.safe_load((here / "pictures.yml").read_text())
out.mkdir(parents=True, exist_ok=True)
(out / "index.html").write_text(env.get_template("index.html").render(pictures=pictures))
for p in pictures:
    (out / (p["id"] + ".html")).write_text(env.get_template("picture.html").render(p=p))
shutil.copy(str(here / "img" / "dot.svg"), str(out / "dot.svg"))
