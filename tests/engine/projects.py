"""Legacy projects, each with a case.json that says what `restage apply` must make of it.

    {"about": "why this project is here, in a sentence",
     "expect": {"multi-stage": "converted", "non-root": "words of the refusal", "copy-order": "none"},
     "http": 8000, "paths": ["/"], "run": ["--version"], "touch": "app.py", "manifest": "requirements.txt",
     "reruns": "words of a step that may run again"}

`add` are files that no repository takes along and that stand in the context all the same; `absent` are paths of the new image that
must not be there; `owners` has the mode and owner of paths before and after (null: not there); `uid` is the main process's; `says`
are words of a proposal's reason.

An expectation is `converted`, `none` (neither proposed nor refused), or words that the reason of the refusal holds.
What is converted is built before and after: both must build, answer alike, keep their configuration but for what is
declared, be smaller where stages were split, not run as root where a user was made, and install nothing again after
`touch` was touched. A second run must change nothing. The steps that run again after `touch`, after `manifest` and after
nothing was touched must be those that `restage check --touch` foretells, before and after.
"""
import importlib.machinery, importlib.util, json, os, re, shlex, shutil, subprocess, tempfile, types

# Steps that fetch dependencies, in the words of the languages' own tools.
INSTALLS = re.compile(r"\b(pip3? install|uv sync|pipenv install|poetry install|npm (install|ci|i)\b|yarn install|pnpm install|apt-get (-\S+ )*install"
                      r"|go mod download|dependency:(go-offline|resolve)|cargo fetch|bundle install)")


def load_compare(lab):
    """The lab's `compare` as a module; a container that does not hear its signal is ended after 2 seconds, not 10."""
    path = os.path.join(lab, "compare")
    loader = importlib.machinery.SourceFileLoader("lab_compare", path)
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader("lab_compare", loader))
    loader.exec_module(module)
    module.use_lab_engine()
    sh = module.sh
    module.sh = lambda *cmd, **kw: sh(*(cmd[:3] + ("2",) + cmd[4:] if cmd[:2] == ("docker", "stop") else cmd), **kw)
    return module


def expectations(case, found):
    """What the proposals and refusals have that the case does not expect."""
    wrong = []
    for transform, words in case.get("says", {}).items():
        if not any(words in p["reason"] for p in found["proposals"] if p["transform"] == transform):
            wrong.append(f"{transform} does not say `{words}`")
    for transform, words in case["expect"].items():
        proposed = [p for p in found["proposals"] if p["transform"] == transform]
        refused = [r["reason"] for r in found["refusals"] if r["transform"] == transform]
        if words == "converted":
            if not proposed:
                wrong.append(f"{transform} is not converted: {'; '.join(refused) or 'nothing said'}")
        elif words == "none":
            if proposed or refused:
                wrong.append(f"{transform} has something to say: {'; '.join(refused) or proposed[0]['title']}")
        elif proposed or not any(words in r for r in refused):
            wrong.append(f"{transform} should be refused for `{words}`: {'converted' if proposed else '; '.join(refused) or 'nothing said'}")
    return wrong


def named(steps):
    """The builder's names of steps (`build 3/7`) out of its lines."""
    return [" ".join(re.match(r"\[(.*?)\]", s).group(1).split()) for s in steps]


def foretold(binary, dockerfile, context, path):
    """What restage says that runs again after `path` was touched, and what perhaps does."""
    check = subprocess.run([binary, "check", "--no-config", "--format", "json", "--context", context, "--touch", path, dockerfile], capture_output=True, text=True)
    before = json.loads(check.stdout)["files"][0]["rebuild"][0]["before"]
    return set(before["again"]), set(before["perhaps"])


def unforetold(binary, dockerfile, context, ran):
    """Where the builder ran other steps again than restage foretells; `ran` has its lines by the file that was touched, None for nothing."""
    wrong = []
    for path, steps in ran.items():
        again, perhaps = foretold(binary, dockerfile, context, path) if path else (set(), set())
        if not again <= set(named(steps)) <= again | perhaps:
            wrong.append(f"after {path or 'nothing'} was touched, {sorted(again)}, perhaps {sorted(perhaps)} was foretold and {steps} ran again")
    return wrong


def twice(measure, steps):
    """A measurement, and its steps that were not foretold. Where there are some it is taken once more, for the builder drops
    layers at will when its cache is full; what the Dockerfile itself causes comes again."""
    result = measure()
    return (result, []) if not steps(result) else (again := measure(), steps(again))


def touch(path):
    """Appends blanks and line ends in an order that no other run has, so that no layer of an earlier run fits."""
    bits = int.from_bytes(os.urandom(8), "big")
    with open(path, "a") as f:
        f.write("\n" + "".join(" \n"[bits >> i & 1] for i in range(64)) + "\n")


def measure(compare, context, name, case):
    """Builds, probes, and builds again after nothing, a source file and a manifest were touched."""
    options = types.SimpleNamespace(network="auto", build_arg=[], secret=[], env=case.get("env", []), lint=False, build_timeout=600,
                                    timeout=40, warm_only=True, keep=False)
    with tempfile.TemporaryDirectory(prefix="restage-engine-") as work:
        copy = os.path.join(work, "context")
        shutil.copytree(context, copy, symlinks=True)
        side = compare.Side(name, os.path.join(copy, "Dockerfile"), copy, options, work)
        if not side.build_all():
            return {"error": "\n".join(side.report["build"].get("error", []))}
        out = {"image": side.report["image"], "answers": {}}
        paths = [*case.get("owners", []), *case.get("absent", [])]
        tree = side.tree(paths) if paths else {}
        out["tree"] = {path: tree.get(path) for path in paths}
        for command in case.get("run", []):
            done = side.run(shlex.split(command))
            out["answers"][command] = [done["exit"], done["stdout"]]
            out.setdefault("said", []).append(done["stderr"][-600:])
        if case.get("http"):
            http = side.http(case["http"], case.get("paths") or ["/"])
            out["answers"]["http"] = {p: [a["status"], a["type"], a["body"]] for p, a in http["responses"].items()} or None
            out["answers"]["health"] = http.get("health")
            out["uid"] = http.get("main_process_uid")
            out.setdefault("said", []).append(http.get("logs", http.get("error", "")))
        out["ran"] = {None: side.report["rebuild_unchanged"]["steps_run"]}
        for path in filter(None, (case.get("touch"), case.get("manifest"))):
            touch(os.path.join(copy, path))
            again = side.build()
            if not again["ok"]:
                return {"error": f"after {path} was touched: " + "\n".join(again.get("error", []))}
            out["ran"][path] = again["steps_run"]
        side.drop()
        return out


def name_bases(lab, *folders):
    """Gives the public images that the Dockerfiles name to the lab's stand-ins."""
    subprocess.run([os.path.join(lab, "stand-in"), "--file", *(os.path.join(f, "Dockerfile") for f in folders)], capture_output=True)


def prove(binary, compare, folder, environment_changes, lab):
    """What is wrong with a project, as a list, and a row of the table."""
    name = os.path.basename(folder)
    case = json.load(open(os.path.join(folder, "case.json")))
    with tempfile.TemporaryDirectory(prefix="restage-engine-") as work:
        before, after = os.path.join(work, "before"), os.path.join(work, "after")
        for copy in (before, after):
            shutil.copytree(folder, copy, symlinks=True, ignore=shutil.ignore_patterns("case.json"))
        for path, text in case.get("add", {}).items():
            for copy in (before, after):
                os.makedirs(os.path.dirname(os.path.join(copy, path)), exist_ok=True)
                open(os.path.join(copy, path), "w").write(text)
        check = subprocess.run([binary, "check", "--no-config", "--format", "json", after], capture_output=True, text=True)
        found = json.loads(check.stdout)["files"][0]
        wrong = expectations(case, found)
        applied = subprocess.run([binary, "apply", "--no-config", "-q", after], capture_output=True, text=True)
        if applied.returncode:
            return [f"restage apply: {applied.stderr}"], name
        if subprocess.run([binary, "diff", "--no-config", "-q", after], capture_output=True, text=True).stdout:
            wrong.append("a second run changes something")
        if not found["proposals"]:
            return wrong, f"{name:<20} left alone"
        text = open(os.path.join(before, "Dockerfile")).read()
        name_bases(lab, before, after)
        measures = []
        for context, side in ((before, "before"), (after, "after")):
            def steps(r, dockerfile=os.path.join(context, "Dockerfile"), context=context):
                return unforetold(binary, dockerfile, context, r.get("ran", {}))

            r, unlike = twice(lambda: measure(compare, context, f"{name}-{side}", case), steps)
            measures.append(r)
            wrong += unlike
        a, b = measures
    for side, r in (("before", a), ("after", b)):
        if "error" in r:
            return [*wrong, f"{side} does not build: {r['error']}"], name
    for key, old in a["answers"].items():
        if old != b["answers"][key] or old is None and key != "health":
            wrong.append(f"{key} differs: {json.dumps(old)[:300]} -> {json.dumps(b['answers'][key])[:300]} {b.get('said')}")
    diff = compare.config_diff(a["image"]["config"], b["image"]["config"])
    # An image without a working directory starts in `/`.
    if {value or "/" for value in diff.get("WorkingDir") or ()} == {"/"}:
        del diff["WorkingDir"]
    declared = {key for p in found["proposals"] for key in p["declares"]}
    wrong += [f"{key} changed and nothing declares it: {diff[key]}" for key in diff if key not in declared and key not in ("Env", "User")]
    wrong += [f"Env changed and nothing declares it: {x}" for x in environment_changes(diff, declared, text)]
    converted = [t for t, words in case["expect"].items() if words == "converted"]
    if "non-root" in converted and not b.get("uid", 1):
        wrong.append("the process runs as root")
    if "uid" in case and b.get("uid") != case["uid"]:
        wrong.append(f"the process runs as {b.get('uid')}")
    for path, wanted in case.get("owners", {}).items():
        have = [r["tree"][path] and " ".join(r["tree"][path].split()[:2]) for r in (a, b)]
        if have != wanted:
            wrong.append(f"{path} is {have}, not {wanted}")
    wrong += [f"{path} is in the image" for path in case.get("absent", []) if b["tree"][path]]
    old, new = a["image"]["size"], b["image"]["size"]
    if "multi-stage" in converted and new >= old:
        wrong.append(f"the image is no smaller: {old} -> {new}")
    again = [s for s in b["ran"].get(case.get("touch"), []) if INSTALLS.search(s) and not (case.get("reruns") and case["reruns"] in s)]
    if again:
        wrong.append(f"ran again after {case['touch']} was touched: {again}")
    row = f"{name:<20} {old / 1e6:7.1f} MB -> {new / 1e6:6.1f} MB   steps after a touch: {len(a['ran'].get(case.get('touch'), []))} -> {len(b['ran'].get(case.get('touch'), []))}"
    return wrong, row
