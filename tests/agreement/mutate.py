#!/usr/bin/env python3
"""Compares restage with BuildKit on mutants of real Dockerfiles, and keeps each mutant on which they differ.

    mutate.py --oracle ORACLE --bin RESTAGE --corpus DIR [--count N] [--seed S] [--keep DIR]

ORACLE reads paths on standard input and prints one JSON object a line with what BuildKit makes of each file (the judge's
oracle, built with Go). Lines, words, flags and heredocs are compared, then the configuration of each stage that BuildKit
converts, then whether its second pass refuses the file and `problems` says so.
"""

import argparse, collections, json, os, random, subprocess, sys, tempfile

BITS = [
    "\\", "`", "\\\n", "`\n", "\\ \n", "\\\t\n", "\\\\\n", "\n", "\r\n", "\r", " ", "\t", "\f", "\v", "\u00a0", "\u0085", "\u2003", "\ufeff",
    "'", '"', "''", '""', "\\'", '\\"', "$", "${", "}", "${x", "${x}", "$x", "${x:-y}", "${x:+'a b'}", "${x#a*}", "${x%%/*}", "${x/a/b}", "${x//a/b}",
    "${x:?}", "${:}", "$$", "\\$x", "<", "<<", "<<EOF", "<<-EOF", "<<'EOF'", '<<"E F"', "3<<EOF", "<< EOF", "<<<EOF", "<<EOF <<EOT", "EOF\n", "\nEOF\n", "\tEOF\n", "<<$x",
    "#", "# ", "\n# comment\n", "\n\n", "  # c\n", "# escape=`\n", "# escape=\\\n", "#escape = `\n", "# syntax=x\n", "# check=skip=all\n", "# foo=bar\n", "  # escape=`\n",
    "[", "]", '["a"]', '["a", "b"]', "['a']", '[1]', '["a",]', "[]", '["\\u00e9"]', '["\\ud800"]', '{"a":1}', ",", "null", "[ \"a\"]x", "[[\"a\"]]",
    "--", "--from=x", "--from=0", "--mount=type=cache,target=/x", "--chown='a b'", "--x=\\ y", "--é=à", "-- ", "--link", "--platform=linux/arm64", "--interval=1m30s",
    "=", "a=", "=a", "a=b", "a='b c'", 'a="b\\"c"', "a b", "é", "à", "\u4e2d", "\U0001f600", "\x00", "\x7f", "0", "9999999",
    "FROM x\n", "FROM scratch AS a\n", "RUN ", "run ", "ONBUILD ", "ONBUILD RUN <<EOF\n", "ENV ", "ENV a\n", "ENV a b\n", "LABEL x\n", "ARG x=1\n", "ARG a=$x b\n", "COPY a b/\n",
    "COPY <<EOF /x\n", "HEALTHCHECK ", "HEALTHCHECK NONE\n", "CMD ", "SHELL ", "SHELL [\"a\"]\n", "MAINTAINER x\n", "EXPOSE 80/tcp 90-92\n", "VOLUME [\"/a\"]\n", "WORKDIR a\n",
    "USER ${x:-a}\n", "STOPSIGNAL 9\n", "FORM x\n", "ENTRYPOINT []\n", "RUN cat <<EOF\na\nEOF\n", "\u212a", "WOR\u212aDIR x\n",
]


def mutate(rng, texts):
    text = rng.choice(texts)
    if len(text) > 6000:
        lines = text.splitlines(keepends=True)
        start = rng.randrange(len(lines))
        text = "".join(lines[start:start + 60])
    for _ in range(rng.choice((1, 1, 1, 2, 2, 3, 5))):
        kind = rng.randrange(13)
        lines = text.splitlines(keepends=True) or ["\n"]
        i = rng.randrange(len(lines))
        if kind == 0:
            del lines[i]
        elif kind == 1:
            lines.insert(i, lines[rng.randrange(len(lines))])
        elif kind == 2:
            lines[i] = lines[i].rstrip("\n")
        elif kind == 3:
            other = rng.choice(texts).splitlines(keepends=True) or ["\n"]
            j = rng.randrange(len(other))
            lines[i:i] = other[j:j + rng.randrange(1, 4)]
        elif kind in (4, 5, 6, 7, 8):
            line = lines[i]
            at = rng.choice((0, len(line), len(line.rstrip("\n")), rng.randrange(len(line) + 1), (line.find(" ") + 1) or 0))
            lines[i] = line[:at] + rng.choice(BITS) + line[at:]
        elif kind == 9:
            line = lines[i]
            at = rng.randrange(len(line) + 1)
            lines[i] = line[:at] + line[at + rng.randrange(1, 4):]
        elif kind == 10:
            lines[i] = lines[i].replace("\n", "\r\n")
        elif kind == 11:
            lines = [rng.choice(("# escape=`\n", "# syntax=a\n", "#\n", "\ufeff", "# check=error=true\n"))] + lines
        else:
            j = rng.randrange(len(lines))
            lines[i], lines[j] = lines[j], lines[i]
        text = "".join(lines)
    return text


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
    p.add_argument("--keep", default="")
    p.add_argument("--show", type=int, default=20)
    p.add_argument("--ignore", default="", help="kinds of difference to leave out, such as problems")
    o = p.parse_args()
    rng = random.Random(o.seed)
    texts = []
    for folder, _, names in sorted(os.walk(o.corpus)):
        for name in sorted(names):
            try:
                texts.append(open(os.path.join(folder, name), encoding="utf-8", newline="").read())
            except (UnicodeDecodeError, OSError):
                pass
    shm = "/dev/shm" if os.path.isdir("/dev/shm") else None
    kinds, shown, done = collections.Counter(), collections.Counter(), 0
    ignored = set(filter(None, o.ignore.split(",")))
    while done < o.count:
        with tempfile.TemporaryDirectory(dir=shm) as room:
            batch = {}
            for i in range(min(1000, o.count - done)):
                path = os.path.join(room, f"m{i}")
                batch[path] = mutate(rng, texts)
                with open(path, "w", encoding="utf-8", newline="") as f:
                    f.write(batch[path])
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
                kind = why.split(":")[0]
                kinds[kind] += 1
                shown[kind] += 1
                if shown[kind] <= o.show:
                    print(f"seed {o.seed} mutant {done + int(os.path.basename(path)[1:])}: {why}")
                if o.keep:
                    os.makedirs(o.keep, exist_ok=True)
                    with open(os.path.join(o.keep, f"{o.seed}-{done + int(os.path.basename(path)[1:])}"), "w", encoding="utf-8", newline="") as f:
                        f.write(text)
            done += len(batch)
    print(f"{done} mutants, differences: {dict(kinds) or 'none'}")
    sys.exit(bool(kinds))


if __name__ == "__main__":
    main()
