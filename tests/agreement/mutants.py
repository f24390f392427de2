"""Mutants of Dockerfiles: what a slip of the hand, a bad merge or a hostile author makes of them."""

BITS = [
    "\\", "`", "\\\n", "`\n", "\\ \n", "\\\t\n", "\\\\\n", "\n", "\r\n", "\r", " ", "\t", "\f", "\v", "\u00a0", "\u0085", "\u2003", "\u2028", "\u200b", "\ufeff",
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
KEYWORDS = ["ADD", "ARG", "CMD", "COPY", "ENTRYPOINT", "ENV", "EXPOSE", "FROM", "HEALTHCHECK", "LABEL", "MAINTAINER", "ONBUILD", "RUN", "SHELL", "STOPSIGNAL", "USER", "VOLUME", "WORKDIR"]
BLANKS = [" ", " ", " ", "  ", "\t", " \t ", "\f", "\v", "\r", "\u00a0", "\u0085", "\u2003", "\u3000", " \\\n", "\\\n ", " \\ \n\n", " \\\n# c\n  ", "\x00", ""]
NAMES = ["x", "PATH", "HOME", "a_b", "TARGETARCH", "BUILDPLATFORM", "1", "@", "é", "A", "foo"]
NUMBERS = ["0", "1", "-1", "+1", "007", "1.5", "1e3", "65535", "65536", "4294967295", "4294967296", "9223372036854775807", "9223372036854775808", "99999999999999999999", "0x10", "1_000", "", "\u0664"]
STAGES = ["0", "1", "00", "+0", "-1", "1.0", "a", "A", "base", "build", "builder", "nginx", "scratch", "$x", "${x}", "a b", "docker.io/library/x:1", "a@b", "x:y:z", "", "context", "99999999999999999999"]
WORDS = ["a", "b/", "/", ".", "..", "a b", "'a b'", '"a b"', "\\ ", "a\\ b", "*", "a*", "$x", "${x}", "${x:-1}", "é", "<<EOF", "--x", "a=b", "=", "a='b c'", 'a="b"', "http://h/x", "git@h:x", "#", "\\", "`"]
MOUNT = ["type=cache", "type=bind", "type=tmpfs", "type=secret", "type=ssh", "type=Cache", "type=$x", "type=", "type", "from=x", "from=0", "from=$x", "from=a$", "source=/a", "src=.", "target=/x", "target=x", "target=/", "target=..",
         "dst=/a b", "destination=$x", "readonly", "ro=true", "ro=x", "readwrite", "rw=0", "rw", "required", "required=true", "required=T", "size=1", "size=1k", "size=1.5GiB", "size=-1", "size=x", "size=1 kb", "id=a", "id=",
         "sharing=locked", "sharing=LOCKED", "sharing=x", "mode=0755", "mode=9", "mode=-1", "uid=0", "uid=x", "gid=99999999999", "env=A", "foo=bar", '"target=/a,b"', '"a', 'a"b', "", " type=cache", "TYPE=cache", "target=/y"]
PORTS = ["80", "80/tcp", "80/udp", "80/sctp", "80/x", "80/TCP", "80-90", "90-80", "80-90/tcp", "80:90", "1.2.3.4:80:90", "[::1]:80:90", "0", "65535", "65536", "-1", "a", "$x", "${x:-80}", "80 90", "80/", "/tcp", "80-", "80:", ":80", "80-81:90-91", "80-82:90-91", "'80'", '"80"']
TIMES = ["1s", "1m30s", "0", "1", "500us", "999999ns", "1ms", "-1s", "+1s", ".5s", "1.s", "1h1h", "1d", "", "9999999h", "2562047h47m16.854775807s", "2562047h47m16.854775808s", "1\u00b5s", "1000\u03bcs", "1e3s", "' 1s'"]
PLATFORMS = ["linux/amd64", "linux", "windows/amd64", "windows(10.0)/amd64", "amd64", "linux/arm/v7", "linux/arm64/v8", "a/b/c/d", "linux/", "/", "$BUILDPLATFORM", "${x}", "$TARGETOS/$TARGETARCH", "LINUX/AMD64", "x", "linux(/x", "linux/*", ""]
MODES = ["755", "0755", "07777", "10000", "8", "u+x", "u=rwX,go=rX", "a-w", "x", "", "$x", "+x", "u", "u+", "-1", "0o755", "ug+rw,", "u=g", "=t", "u+s"]
OWNERS = ["a", "a:b", "0:0", "1", "a:", ":b", "$x:$x", "", "a:b:c", "é", "'a b'", "4294967296"]
DOTS = ["SIGTERM", "TERM", "sigkill", "9", "0", "64", "65", "-1", "SIGRTMIN+3", "SIGRTMAX-1", "RTMIN", "SIGFOO", "$x", "${x:-15}", "", "SIG", "99999999999999"]
EXPRESSIONS = ["${%s}", "$%s", "${%s:-a}", "${%s:-$HOME}", "${%s:+a b}", "${%s:?}", "${%s?no}", "${%s-}", "${%s+'x y'}", "${%s#*/}", "${%s##*/}", "${%s%%.*}", "${%s%%%%.*}", "${%s/a/b}", "${%s//a/$HOME}", "${%s/}", "${%s//\\//x}", "${%s#\\*}", "${%s:-${x:-\"q}\"}}", "${%s:x}", "${%s!}", "${%s", "$ {%s}", "\\${%s}", "'${%s}'", "\"${%s:-'b'}\"", "${%s,,}", "${%s:0:1}", "${%s/?/x}", "${%s#$x}", "${%s:-\\}}"]
IMAGES = ["scratch", "SCRATCH", "x", "x:1", "x@sha256:" + "a" * 64, "x@sha256:ab", "a/b/c", "host:5000/x", "X", "a//b", "a_b", "a__b", "a___b", "-a", "a:", "$x", "${x:-y}", "é", "'x'", '"x"', "a b", "localhost/x:y", "[::1]:5/x", "x:" + "t" * 129, "oci-layout://x"]


def word(rng):
    kind = rng.randrange(4)
    if kind == 0:
        return expression(rng)
    if kind == 1:
        return rng.choice(BITS)
    return rng.choice(WORDS)


def expression(rng):
    out = rng.choice(EXPRESSIONS) % rng.choice(NAMES)
    return out if rng.randrange(3) else rng.choice(("a", "'", '"', "/", "=")) + out + rng.choice(("b", "'", '"', "", "}"))


def json_array(rng):
    items = [rng.choice(('"a"', '"b c"', '"\\"q"', '"\\u00e9"', '"\\ud83d\\ude00"', '"$x"', '""', '"/"', '"\\n"', '"<<EOF"', '"\t"', "1", "null", "true", "[]", '{"a":1}', "'a'", '"\\x"', "-0.5e+3", "01")) for _ in range(rng.randrange(4))]
    text = rng.choice(("[", "[ ", "[\t", "[\\\n")) + rng.choice((",", ", ", " ,\\\n ")).join(items) + rng.choice(("]", " ]", "] ", "]x", "]]", "", ",]", "]\u00a0"))
    return text if rng.randrange(3) else slip(rng, text)


def heredoc(rng):
    name = rng.choice(("EOF", "EOF", "E", "é", "a b", "E.O-F", "$x", "EOF2", "/x", "1", "-E"))
    quote = rng.choice(("", "", "", "'", '"'))
    start = rng.choice(("", "", "", "3", "0", "12")) + rng.choice(("<<", "<<", "<<-", "<< ", "<<<", "<")) + quote + name + (quote if rng.randrange(12) else "")
    body = "".join(rng.choice(("a\n", "\tb\n", "FROM x\n", "$x\n", "${x\n", "# c\n", "\\\n", "a \\\n", "\n", "'\n", "RUN y\n", "#!/bin/sh\n")) for _ in range(rng.randrange(4)))
    end = rng.choice(("", "", "\t", " ", "")) + name + rng.choice(("\n", "\n", "\n", "\r\n", " \n", "", "x\n"))
    return start, body + (end if rng.randrange(8) else "")


def flag(rng):
    kind = rng.randrange(14)
    if kind < 4:
        value = "mount=" + ",".join(rng.choice(MOUNT) for _ in range(rng.randrange(1, 5)))
    else:
        value = rng.choice((
            "from=" + rng.choice(STAGES), "from=" + rng.choice(STAGES), "chown=" + rng.choice(OWNERS), "chmod=" + rng.choice(MODES), "platform=" + rng.choice(PLATFORMS), "platform=" + rng.choice(PLATFORMS),
            rng.choice(("interval", "timeout", "start-period", "start-interval")) + "=" + rng.choice(TIMES), "retries=" + rng.choice(NUMBERS),
            rng.choice(("link", "parents", "keep-git-dir", "unpack")) + rng.choice(("", "=true", "=false", "=TRUE", "=", "=1")),
            "exclude=" + rng.choice(WORDS), "checksum=sha256:" + "a" * rng.choice((64, 64, 3)), "network=" + rng.choice(("none", "host", "default", "x", "")), "security=" + rng.choice(("insecure", "sandbox", "x")),
            "device=" + rng.choice(("a", "v.com/x=y", "name=a", "a,required", "a,b", "required=x", "name=a,name=b", "")), rng.choice(("x", "frm=a", "", "=", "=a", "mont=type=cache")), "chown=" + expression(rng)))
    quoted = rng.randrange(10)
    if quoted == 0:
        value = value.replace("=", "='", 1) + "'"
    elif quoted == 1:
        value = '"' + value + '"'
    elif quoted == 2:
        value = slip(rng, value)
    return "--" + value + rng.choice(BLANKS[:7] + [" "])


def line(rng):
    """An instruction that nobody wrote."""
    keyword = rng.choice(KEYWORDS)
    head = keyword if rng.randrange(6) else rng.choice((keyword.lower(), keyword.title(), slip(rng, keyword)))
    flags = "".join(flag(rng) for _ in range(rng.choice((0, 0, 1, 1, 2)))) if keyword in ("ADD", "COPY", "RUN", "FROM", "HEALTHCHECK") or not rng.randrange(6) else ""
    body = ""
    if keyword in ("CMD", "ENTRYPOINT", "SHELL", "RUN", "VOLUME") and rng.randrange(2):
        args = json_array(rng)
    elif keyword == "EXPOSE":
        args = rng.choice(BLANKS).join(rng.choice(PORTS) for _ in range(rng.randrange(1, 3)))
    elif keyword == "STOPSIGNAL":
        args = rng.choice(DOTS)
    elif keyword == "FROM":
        args = rng.choice(IMAGES) + (rng.choice((" AS ", " as ", " a\u017f ", " AS  ", " IS ", " ")) + rng.choice(STAGES) if rng.randrange(2) else "")
    elif keyword in ("ENV", "LABEL", "ARG"):
        args = rng.choice(BLANKS).join(rng.choice(NAMES + ["'a b'", '"q"', ""]) + rng.choice(("=", "=", "=", " ", "")) + rng.choice((expression(rng), word(rng), "")) for _ in range(rng.randrange(1, 4)))
    elif keyword == "HEALTHCHECK":
        args = rng.choice(("NONE", "none", "CMD", "cmd", "CMD ", "NONE x", "x", "", "CMD\t", "CMD\u00a0")) + rng.choice(("", " a", " " + json_array(rng), json_array(rng)))
    elif keyword == "ONBUILD":
        args = line(rng).rstrip("\n")
    else:
        args = rng.choice(BLANKS).join(word(rng) for _ in range(rng.randrange(4)))
    if keyword in ("RUN", "COPY", "ADD") and not rng.randrange(3):
        for _ in range(rng.choice((1, 1, 2))):
            start, doc = heredoc(rng)
            args = rng.choice((start + " " + args, args + " " + start, start))
            body += doc
    return rng.choice(("", "", "", " ", "\t", "\u00a0")) + head + rng.choice(BLANKS) + flags + args + rng.choice(("\n", "\n", "\n", "\r\n", " \n", "\\\n", "\t\n")) + body


def stages(rng):
    """A few stages that need one another, with triggers between them."""
    out = []
    names = ["a", "b", "c"]
    for i in range(rng.randrange(1, 4)):
        out.append("FROM %s%s\n" % (rng.choice(["x", "scratch"] + names), " AS " + rng.choice(names) if rng.randrange(4) else ""))
        for _ in range(rng.randrange(4)):
            out.append(rng.choice((
                "COPY --from=%s /a /b\n" % rng.choice(names + ["0", "1", "2", "x"]), "RUN --mount=from=%s,target=/m x\n" % rng.choice(names + ["0", "x"]),
                "ENV %s=%s\n" % (rng.choice(NAMES[:5]), expression(rng)), "ARG %s=%s\n" % (rng.choice(NAMES[:5]), expression(rng)), "ARG %s\n" % rng.choice(NAMES), "WORKDIR %s\n" % word(rng), "USER %s\n" % word(rng),
                "CMD %s\n" % rng.choice(("a", '["a"]', "[]")), "ENTRYPOINT %s\n" % rng.choice(("a", '["a"]', "[]")), 'SHELL ["s"]\n', "ONBUILD " + line(rng), "LABEL a=%s\n" % expression(rng), line(rng))))
    return "".join(rng.choice(("", "ARG x=1\n", "ARG x\n", "ARG x=a HOME=$x\n")) + "".join(out))


def slip(rng, text):
    """One character dropped, doubled, swapped with its neighbour or replaced."""
    if not text:
        return rng.choice(BITS)
    at = rng.randrange(len(text))
    kind = rng.randrange(5)
    if kind == 0:
        return text[:at] + text[at + 1:]
    if kind == 1:
        return text[:at] + text[at] + text[at:]
    if kind == 2:
        return text[:at] + text[at + 1:at + 2] + text[at] + text[at + 2:]
    if kind == 3:
        return text[:at] + chr(rng.choice((rng.randrange(128), rng.randrange(128), rng.randrange(0x100), rng.randrange(0x3100)))) + text[at + 1:]
    return text[:at] + rng.choice(BITS) + text[at + 1:]


def splice(rng, text, other):
    lines = text.splitlines(keepends=True) or ["\n"]
    i = rng.randrange(len(lines))
    kind = rng.randrange(27)
    if kind == 0:
        del lines[i]
    elif kind == 1:
        lines.insert(i, lines[rng.randrange(len(lines))])
    elif kind == 2:
        lines[i] = lines[i].rstrip("\n")
    elif kind == 3:
        theirs = other.splitlines(keepends=True) or ["\n"]
        j = rng.randrange(len(theirs))
        lines[i:i] = theirs[j:j + rng.randrange(1, 4)]
    elif kind in (4, 5, 6, 7, 8):
        at = rng.choice((0, len(lines[i]), len(lines[i].rstrip("\n")), rng.randrange(len(lines[i]) + 1), (lines[i].find(" ") + 1) or 0))
        lines[i] = lines[i][:at] + rng.choice(BITS) + lines[i][at:]
    elif kind == 9:
        at = rng.randrange(len(lines[i]) + 1)
        lines[i] = lines[i][:at] + lines[i][at + rng.randrange(1, 4):]
    elif kind == 10:
        lines[i] = lines[i].replace("\n", "\r\n")
    elif kind == 11:
        lines = [rng.choice(("# escape=`\n", "# syntax=a\n", "#\n", "\ufeff", "# check=error=true\n", "#\tescape\t=\t`\t\n", "# ESCAPE=`\n", "#syntax=\n", "# escape=\n", "// escape=`\n", "#!/x\n", "# check=skip=a,b;error=x\n", "# check=\n", "\n", "#\u00a0escape=`\n", "# esc ape=`\n"))] + lines
    elif kind == 12:
        j = rng.randrange(len(lines))
        lines[i], lines[j] = lines[j], lines[i]
    elif kind in (13, 14):
        lines[i] = slip(rng, lines[i])
    elif kind in (15, 16):
        lines.insert(i, line(rng))
    elif kind == 17:
        lines[i] = rng.choice(("ONBUILD ", "onbuild ", "ONBUILD ONBUILD ", "ONBUILD\t", "ONBUILD --x ", "ONBUILD \\\n")) + lines[i]
    elif kind == 18:
        words = lines[i].split(" ")
        j, k = rng.randrange(len(words)), rng.randrange(len(words))
        words[j], words[k] = words[k], words[j]
        lines[i] = " ".join(words)
    elif kind == 19:
        words = lines[i].split(" ")
        words.insert(rng.randrange(len(words) + 1), rng.choice((word(rng), flag(rng).strip(" "), expression(rng), json_array(rng), rng.choice(NUMBERS))))
        lines[i] = " ".join(words)
    elif kind == 20:
        words = lines[i].split(" ")
        words[rng.randrange(len(words))] = rng.choice((word(rng), flag(rng), rng.choice(STAGES), rng.choice(NUMBERS), ""))
        lines[i] = " ".join(words)
    elif kind == 21:
        lines[i] = lines[i].replace(" ", rng.choice(BLANKS), rng.choice((1, -1)))
    elif kind == 22:
        at = rng.randrange(len(lines[i]) + 1)
        lines[i] = lines[i][:at] + rng.choice(("\n", "\\\n", " \\\n", "`\n", "\\ \n# c\n", "\\\n\n", "\\\r\n", "\r")) + lines[i][at:]
    elif kind == 23:
        start, doc = heredoc(rng)
        lines[i] = lines[i].rstrip("\n") + " " + start + "\n" + doc
    elif kind == 24:
        lines[i] = lines[i].swapcase() if rng.randrange(2) else lines[i].lower()
    elif kind == 25:
        lines[i:i] = stages(rng).splitlines(keepends=True)
    else:
        lines = lines[:i + 1]
        lines[-1] = lines[-1][:rng.randrange(len(lines[-1]) + 1)]
    return "".join(lines)


def mutant(rng, texts):
    """The bytes of a mutant: nearly always UTF-8."""
    kind = rng.randrange(10)
    if kind == 0:
        text = stages(rng)
    elif kind == 1:
        text = rng.choice(("FROM x\n", "FROM x AS a\n", "ARG x=1\nFROM x\n", "# escape=`\nFROM x\n", "")) + "".join(line(rng) for _ in range(rng.randrange(1, 6)))
    else:
        text = rng.choice(texts)
        if len(text) > 6000:
            lines = text.splitlines(keepends=True)
            start = rng.randrange(len(lines))
            text = "".join(lines[start:start + 60])
    for _ in range(rng.choice((1, 1, 1, 2, 2, 3, 5)) if kind > 1 else rng.choice((0, 0, 1, 2))):
        text = splice(rng, text, rng.choice(texts))
    raw = text.encode("utf-8", "replace")
    if raw and not rng.randrange(40):
        at = rng.randrange(len(raw))
        raw = raw[:at] + bytes([rng.randrange(256)]) + raw[at + rng.randrange(2):]
    return raw
