"""Adjacent RUNs of all kinds, built before and after `restage apply`: the images must hold the same files, in fewer layers.

tests/engine/layers/NAME.Dockerfile is one case; what stands behind `# restage.toml:` in its first line are settings
(those of merge-run, and `cache`). Both images must build, print the same, have the same configuration and the same tree:
names, owners, modes, links and contents of all files, caches, logs and time stamps aside. After the rewrite there must be
fewer layers (no more of them where caches are mounted), and the image must not be larger.
"""
import hashlib, json, os, re, shutil, subprocess, tarfile, tempfile, types

# What differs between two builds of the same file, and what only caches hold.
VOLATILE = re.compile(r"^(var/log/|var/cache/|var/lib/apt/lists/|root/\.cache/|root/\.npm/|etc/ld\.so\.cache|etc/apt/apt\.conf\.d/docker-clean|"
                      r"var/lib/apt/extended_states|var/lib/dpkg/.*-old$|dev/|proc/|sys/|etc/(hostname|hosts|resolv\.conf|mtab)$|\.dockerenv$|"
                      r".*__pycache__/|.*\.dist-info/RECORD$)")


def tree(image):
    """What the image holds: for each path its kind, owner, mode and content."""
    container = subprocess.run(["docker", "create", image], capture_output=True, text=True, check=True).stdout.strip()
    out = {}
    try:
        with subprocess.Popen(["docker", "export", container], stdout=subprocess.PIPE) as export:
            with tarfile.open(fileobj=export.stdout, mode="r|") as archive:
                for item in archive:
                    name = item.name.removeprefix("./")
                    if VOLATILE.match(name) or VOLATILE.match(name + "/"):
                        continue
                    content = item.linkname if item.issym() or item.islnk() else None
                    if item.isfile():
                        content = hashlib.sha256(archive.extractfile(item).read()).hexdigest()
                    out[name] = [item.type.decode(), item.uid, item.gid, oct(item.mode), content]
    finally:
        subprocess.run(["docker", "rm", container], capture_output=True)
    return out


def settings(first_line):
    """The settings file that a case asks for."""
    asked = first_line.partition("restage.toml:")[2].strip()
    if not asked:
        return "select = [\"merge-run\"]\n"
    if asked.startswith("cache"):
        return f"{asked}\nselect = [\"merge-run\"]\n"
    return "select = [\"merge-run\"]\n[transforms.merge-run]\n" + "\n".join(asked.split(", ")) + "\n"


def prove(binary, compare, path):
    """What is wrong with a case, as a list, and a row of the table."""
    name = os.path.basename(path).removesuffix(".Dockerfile")
    wrong, sides = [], {}
    with tempfile.TemporaryDirectory(prefix="restage-layers-") as work:
        context = os.path.join(work, "context")
        shutil.copytree(os.path.dirname(path), context)
        dockerfile, config = os.path.join(context, name + ".Dockerfile"), os.path.join(work, "restage.toml")
        with open(path) as f:
            first_line = f.readline()
        with open(config, "w") as f:
            f.write(settings(first_line))
        mounts = "cache" in first_line
        options = types.SimpleNamespace(network="auto", build_arg=[], secret=[], env=[], lint=False, build_timeout=600, timeout=40,
                                        warm_only=True, keep=False)
        for side in ("before", "after"):
            if side == "after":
                command = [binary, "apply", "--config", config, "-q", dockerfile]
                if subprocess.run(command, capture_output=True).returncode:
                    return ["restage apply fails"], name
                if subprocess.run([binary, "diff", *command[2:]], capture_output=True, text=True).stdout:
                    wrong.append("a second run changes something")
            built = compare.Side(f"{name}-{side}", dockerfile, context, options, work)
            result = built.build()
            if not result["ok"]:
                return [f"{side} does not build: " + "\n".join(result.get("error", []))], name
            image = compare.docker_json("image", "inspect", built.tag)[0]
            said = built.run([])
            sides[side] = {"layers": len(image["RootFS"]["Layers"]), "size": image["Size"], "tree": tree(built.tag),
                           "config": {k: image["Config"].get(k) for k in compare.CONFIG_KEYS}, "said": [said["exit"], said["stdout"]]}
            built.drop()
    a, b = sides["before"], sides["after"]
    changed = sorted(p for p in a["tree"].keys() | b["tree"].keys() if a["tree"].get(p) != b["tree"].get(p))
    if changed:
        wrong.append(f"{len(changed)} paths differ: " + "; ".join(f"{p}: {a['tree'].get(p)} -> {b['tree'].get(p)}" for p in changed[:5]))
    if not a["tree"]:
        wrong.append("the image holds nothing")
    for key in ("config", "said"):
        if a[key] != b[key]:
            wrong.append(f"{key} differs: {json.dumps(a[key])[:300]} -> {json.dumps(b[key])[:300]}")
    if b["layers"] > a["layers"] or (b["layers"] == a["layers"] and not mounts and name != "builder"):
        wrong.append(f"not fewer layers: {a['layers']} -> {b['layers']}")
    # The package manager's own logs hold times and differ by some bytes.
    if b["size"] > a["size"] + 16_384:
        wrong.append(f"the image is larger: {a['size']} -> {b['size']}")
    row = f"{name:<20} {a['size'] / 1e6:7.1f} MB -> {b['size'] / 1e6:6.1f} MB   layers: {a['layers']} -> {b['layers']}   {len(b['tree'])} paths"
    return wrong, row
