#!/usr/bin/env python3
"""Compares restage with BuildKit on mutants of real Dockerfiles, and keeps each mutant on which they differ.

    mutate.py --oracle ORACLE --bin RESTAGE --corpus DIR [--count N] [--seed S] [--kind mutants|splices] [--keep DIR]

ORACLE reads paths on standard input and prints one JSON object a line with what BuildKit makes of each file (the judge's
oracle, built with Go). Lines, words, flags and heredocs are compared, then the configuration of each stage that BuildKit
converts, then whether its second pass refuses the file and `problems` says so.
"""

import argparse, collections, json, os, random, re, shutil, subprocess, sys, tempfile

import mutants, splices

def theirs(nodes):
    out = []
    for n in nodes or []:
        sub = n.get("sub")
        words = list(n.get("args") or [])
        if sub:
            words = [sub["cmd"].upper()] + list(sub.get("args") or []) + list(sub.get("flags") or [])
        out.append([n["cmd"].upper(), n["start"], n["end"], n["original"], words, list(n.get("flags") or []),
                    [[h["name"], h["expand"], h["chomp"], h["content"]] for h in n.get("heredocs") or []]])
    return out


def ours(items):
    out = []
    for n in items:
        if n["kind"] != "instruction":
            continue
        sub = n.get("onbuild")
        words = list(n.get("args") or [])
        if sub:
            words = [sub["keyword"].upper()] + list(sub.get("args") or []) + list(sub.get("flags") or [])
        out.append([n["keyword"].upper(), n["start_line"], n["end_line"], n["original"], words, list(n.get("flags") or []),
                    [[h["name"], h["expand"], h["strip_tabs"], h["content"]] for h in n.get("heredocs") or []]])
    return out


CONFIG = ("Cmd", "Entrypoint", "WorkingDir", "ExposedPorts", "Volumes", "Labels", "StopSignal", "Healthcheck", "Shell", "OnBuild", "User", "Env")


def plain(config):
    c = {k: v for k, v in (config or {}).items() if k in CONFIG and v not in (None, "", [], {})}
    if "Env" in c:
        c["Env"] = dict(e.partition("=")[::2] for e in c["Env"])
    if "Healthcheck" in c:
        c["Healthcheck"] = {k: v for k, v in c["Healthcheck"].items() if v}
    return c


def differs(mine, truth, inspected, text):
    """Why the two disagree, or nothing."""
    if mine is None:
        return "no answer"
    if text is None:
        # BuildKit reads bytes; restage refuses what is not UTF-8, and says so.
        return None if mine["errors"] and "text" not in mine else "bytes: not UTF-8 and no error"
    if mine.get("text") != text:
        return "bytes"
    if bool(mine["errors"]) != bool(truth.get("parse_error")):
        return f"accepts: BuildKit {truth.get('parse_error')!r}, restage {mine['errors'][:1]}"
    if mine["errors"]:
        return None
    a, b = ours(mine["items"]), theirs(truth.get("nodes"))
    if a != b:
        pair = next(((x, y) for x, y in zip(a, b) if x != y), (len(a), len(b)))
        return f"words: restage {json.dumps(pair[0])[:400]} BuildKit {json.dumps(pair[1])[:400]}"
    if (truth.get("error") or "").startswith("panic:"):
        # The converter asks the daemon that it talks to what it can do, and here there is none.
        return None
    # The oracle asks for each stage in turn; BuildKit refuses a file that has none.
    refused = truth.get("instr_error") or truth.get("error") or (None if truth.get("stages") else "no stages")
    if not refused:
        want = [plain(s.get("config")) for s in truth.get("stages") or []]
        got = [plain(s["config"]) for s in (inspected or {}).get("stages", [])]
        if want != got:
            pair = next(((x, y) for x, y in zip(got, want) if x != y), (len(got), len(want)))
            if isinstance(pair[0], dict):
                pair = tuple({k: v for k, v in p.items() if pair[1 - i].get(k) != v} for i, p in enumerate(pair))
            return f"config: restage {json.dumps(pair[0])[:300]} BuildKit {json.dumps(pair[1])[:300]}"
    if not refused and mine["problems"] and all(p["message"].startswith("no stage is named ") for p in mine["problems"]):
        # BuildKit would ask a registry for it. docs/agreement.md says why restage does not wait for that.
        return "named: a near miss of a stage"
    if bool(refused) != bool(mine["problems"]):
        return f"problems: BuildKit {refused!r}, restage {mine['problems'][:1]}"
    return None


def lines_of(command, **more):
    return subprocess.run(command, stdout=subprocess.PIPE, check=False, **more).stdout.splitlines()


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--oracle", required=True)
    p.add_argument("--bin", required=True)
    p.add_argument("--corpus", required=True)
    p.add_argument("--count", type=int, default=10000)
    p.add_argument("--seed", type=int, default=1)
    p.add_argument("--kind", choices=("mutants", "splices"), default="mutants", help="slips in one file, or files put together from several")
    p.add_argument("--keep", default="")
    p.add_argument("--show", type=int, default=20)
    p.add_argument("--ignore", default="", help="kinds of difference to leave out, such as problems")
    o = p.parse_args()
    rng = random.Random(o.seed)
    mutant = {"mutants": mutants, "splices": splices}[o.kind].mutant
    texts = []
    for folder, _, names in sorted(os.walk(o.corpus)):
        for name in sorted(names):
            try:
                text = open(os.path.join(folder, name), encoding="utf-8", newline="").read()
            except (UnicodeDecodeError, OSError):
                continue
            # What stands beside a Dockerfile makes mutants of which the builder only says that they are none.
            if re.search(r"(?im)^\s*FROM\s", text):
                texts.append(text)
    shm = "/dev/shm" if os.path.isdir("/dev/shm") else None
    kinds, shown, named, done = collections.Counter(), collections.Counter(), collections.Counter(), 0
    ignored = set(filter(None, o.ignore.split(",")))
    while done < o.count:
        with tempfile.TemporaryDirectory(dir=shm) as room:
            batch = {}
            for i in range(min(1000, o.count - done)):
                path = os.path.join(room, f"m{i}")
                raw = mutant(rng, texts)
                try:
                    batch[path] = raw.decode("utf-8")
                except UnicodeDecodeError:
                    batch[path] = None
                with open(path, "wb") as f:
                    f.write(raw)
            answers = {}
            for line in lines_of([o.oracle, "-nodes", "-jobs", "2"], input="\n".join(batch).encode(), stderr=subprocess.DEVNULL):
                d = json.loads(line)
                answers[d["path"]] = d
            mine = {d["path"]: d for d in map(json.loads, lines_of([o.bin, "parse", "--format", "ndjson", "--text", *batch]))}
            seen = {d["path"]: d for d in map(json.loads, lines_of([o.bin, "inspect", "--format", "ndjson", "--bare-bases", *batch]))}
            for path, text in batch.items():
                why = differs(mine.get(path), answers.get(path, {}), seen.get(path), text)
                if why is None or why.split(":")[0] in ignored:
                    continue
                if why.startswith("named:"):
                    named[why.partition(": ")[2]] += 1
                    continue
                kind = why.split(":")[0]
                kinds[kind] += 1
                shown[kind] += 1
                if shown[kind] <= o.show:
                    print(f"seed {o.seed} mutant {done + int(os.path.basename(path)[1:])}: {why}")
                if o.keep:
                    os.makedirs(o.keep, exist_ok=True)
                    shutil.copyfile(path, os.path.join(o.keep, f"{o.seed}-{done + int(os.path.basename(path)[1:])}"))
            done += len(batch)
    print(f"{done} mutants, differences: {dict(kinds) or 'none'}, named ones: {dict(named) or 'none'}")
    sys.exit(bool(kinds))


if __name__ == "__main__":
    main()
