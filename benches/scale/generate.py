#!/usr/bin/env python3
"""Makes a folder of repositories out of the project's own cases: generate.py FOLDER [REPOSITORIES] [DOCKERFILES].

The same arguments give the same repositories. Each one is a git checkout with one commit.
"""

import os
import subprocess
import sys
from pathlib import Path


def befores(cases):
    """The texts in front of the transforms in all cases."""
    for path in sorted(cases.glob("*/cases/*.txt")):
        text = path.read_bytes()
        section, kept = None, []
        for line in text.splitlines(keepends=True):
            if line.startswith(b"--- "):
                section = line.strip()
            elif section == b"--- before":
                kept.append(line)
        if kept:
            yield b"".join(kept)


def main():
    folder = Path(sys.argv[1])
    repositories = int(sys.argv[2]) if len(sys.argv) > 2 else 1000
    dockerfiles = int(sys.argv[3]) if len(sys.argv) > 3 else repositories * 5
    texts = list(befores(Path(__file__).resolve().parents[2] / "transforms"))
    clean = {k: v for k, v in os.environ.items() if not k.startswith("GIT_")}
    for number in range(repositories):
        root = folder / f"team{number % 20:02}" / f"project{number:04}"
        first, last = number * dockerfiles // repositories, (number + 1) * dockerfiles // repositories
        for index in range(first, last):
            place = root / f"service{index - first}"
            place.mkdir(parents=True, exist_ok=True)
            (place / "Dockerfile").write_bytes(texts[index % len(texts)])
        root.mkdir(parents=True, exist_ok=True)
        who = ["-c", "user.name=a", "-c", "user.email=a@example.com"]
        for command in (["init", "-q"], ["add", "-A"], [*who, "commit", "-q", "--allow-empty", "-m", "first"]):
            subprocess.run(["git", *command], cwd=root, env=clean, check=True)
    print(f"{repositories} repositories with {dockerfiles} Dockerfiles out of {len(texts)} cases in {folder}")


main()
