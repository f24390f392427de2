"""A second kind of mutants, which shares nothing with the first but the files that it starts from: new files put together from
the instructions of several, then worked on line by line and byte by byte."""

SPACES = ["\t", "  ", "\v", "\f", "\r", "\u00a0", "\u0085", "\u1680", "\u2002", "\u2028", "\u2029", "\u202f", "\u205f", "\u3000", "\u180e", "\u200b", "\ufeff", "\x1c", "\x1f", "\x00"]
DIRECTIVES = ["# escape=`", "#escape=\\", "# ESCAPE = ` ", "\t# escape=`", "# escape=`\t\r", "# escape=``", "# syntax=docker/dockerfile:1", "# Syntax = x # y", "#syntax==", "# check=skip=JSONArgsRecommended",
              "# check=error=true;skip=all", "# check=experimental=all", "# check=skip=", "# syntax = ", "# escape", "# directive=x", "##escape=`", "# escape=` # no", "\ufeff# escape=`", "#\u3000escape=`", "# syntax\u00a0=x", "// syntax=x", "#!escape=`"]
STRINGS = ['"a"', '"b c"', '"\\""', '"\\\\"', '"\\/"', '"\\b\\f\\n\\r\\t"', '"\\u0041"', '"\\uD83D\\uDE00"', '"\\uDE00"', '"\\ud83dx"', '"\\ud83d\\u0041"', '"\\u00"', '"\\U0041"', '"\u2028"', '"\x7f"', '"$HOME"', '"${x}"', '"<<EOF"', '"#"',
           '"a\\\nb"', '"a`\nb"', '"\x01"', "''", "true", "1", "-1", "1.0E+2", "-", "1.", ".5", "00", "1e400", "null", "NaN", "[]", "{}", '{"a":"b"}', '["a"]', '"unterminated', "", '"a" "b"', '"a":"b"', "/* c */", "\ufeff"]
STARTS = ["<<EOF", "<<-EOF", "<<'EOF'", '<<"EOF"', "<<E'O'F", "<<EO\\F", "<<\\EOF", "<<EOF1 <<EOF", "9<<EOF", "<<EOF>x", "x<<EOF", "<<EOF;", "<<$EOF", "<<${EOF:-EOF}", "<<EOF \\\n  # c\n  x", "'<<EOF'", "\\<<EOF", "<<\tEOF", "<< 'EOF' <<EOF", "<<-'EOF", "<<<EOF", "<<", "<<-", "<<''", "<<\u3000EOF",
          "<<EOF|sh", "(<<EOF)", "<<EOF&&x", "<<#EOF", "<<E\"O F\"", "<<`EOF", "1<<2", "$((1<<EOF))", "${x:-<<EOF}", '"<<EOF', "--x=<<EOF", "--x <<EOF"]
BODIES = ["", "x\n", "\tx\n", "$x ${y:-z}\n", "${\n", "${x^}\n", "\\$x \\\\ \\\n", "'\"\n", "EOF \n", " EOF\n", "#EOF\n", "EOFX\n", "# c\n\n\n", "FROM y\n", "RUN <<EOF\n", "\r\n", "\x00\n", "`\n", "${x:?no}\n", "$$ $ ${#}\n"]
ENDS = ["EOF\n", "EOF\n", "EOF\n", "EOF\r\n", "\tEOF\n", "\t\tEOF", "EOF", "eof\n", "EOF\r\r\n", "EOF\n1\nEOF\n", "EOF1\nEOF\n", "'EOF'\n", "E\\OF\n", ""]
FLAGS = ["--from=0", "--from=a", "--from=A", "--from='a'", "--from=", "--from", "--link", "--link=0", "--link=true", "--chmod=4755", "--chmod=u=rw,g=r", "--chown=1:1", "--chown=$u", "--parents", "--exclude=*.md", "--exclude=", "--keep-git-dir=true",
         "--checksum=sha256:0", "--unpack", "--platform=$TARGETPLATFORM", "--platform=linux", "--network=none", "--security=sandbox", "--device=a", "--interval=1s", "--retries=3", "--timeout=0s", "--start-period=1m", "--start-interval=2s", "--mount=type=bind,source=x,target=/y",
         "--mount=type=secret,id=a,env=B", "--mount=target=/a,from=b", "--mount=type=cache,target=$x", "--mount=", "--mount", "--", "-x", "--x=y", "--\\from=a", "--from=a\\ b", '--from="a b"', "--from=a'b c'd", "--from='a", "--from=a\\", "--FROM=a", "---", "--=", "--\u00e9", "--from=\u00e9", "--link=TRUE", "--mount=type=tmpfs,target=/a,size=1GB",
         "--mount='type=cache,target=/a b'", '--mount=type=cache,"target=/a,b"', "--mount=type=ssh,required", "--mount=type=cache,target=/x,sharing=private,uid=1,gid=2,mode=0700"]


def blocks(text):
    """The instructions of a text, roughly: lines up to one that does not go on."""
    out, open_ = [], []
    for line in text.splitlines(keepends=True):
        open_.append(line)
        if not line.rstrip().endswith(("\\", "`")):
            out.append("".join(open_))
            open_ = []
    return out + (["".join(open_)] if open_ else [])


def keyword(rng):
    return rng.choice(("ADD", "ARG", "CMD", "COPY", "ENTRYPOINT", "ENV", "EXPOSE", "FROM", "HEALTHCHECK", "HEALTHCHECK CMD", "LABEL", "MAINTAINER", "ONBUILD", "RUN", "SHELL", "STOPSIGNAL", "USER", "VOLUME", "WORKDIR"))


def array(rng):
    inside = rng.choice((",", ", ", " , ", ",\t", " ", ",,", ",\\\n", "\u00a0,")).join(rng.choice(STRINGS[:19] if rng.randrange(3) else STRINGS) for _ in range(rng.randrange(5)))
    return rng.choice(("[", "[", "[", " [", "[ ", "[[", "")) + inside + rng.choice(("]", "]", "]", "] ", "]\t", ",]", "]]", "] # c", "]\\\n", "] \\\n  x", ""))


def document(rng):
    head = rng.choice(("RUN", "RUN", "COPY", "ADD", "ONBUILD RUN", "ONBUILD COPY", "ONBUILD ADD", "ONBUILD ONBUILD RUN", "ENV", "CMD", "RUN --mount=type=cache,target=/x", "COPY --chown=a", "onbuild\tcopy"))
    words = [rng.choice(STARTS[:5] if rng.randrange(3) else STARTS) for _ in range(rng.choice((1, 1, 1, 2, 3)))] + [rng.choice(("", "", "/d", "/d/", "cat", "$x", "'q", "# c"))]
    rng.shuffle(words)
    return head + " " + " ".join(words) + rng.choice(("\n", "\n", "\r\n", " \\\n\n", " \\\n")) + "".join(rng.choice(BODIES) for _ in range(rng.randrange(3))) + rng.choice(ENDS)


def flagged(rng, block):
    """Flags behind the keyword: some, in any order, some of them twice."""
    head, blank, rest = block.partition(" ")
    chosen = [rng.choice(FLAGS) for _ in range(rng.choice((1, 1, 2, 2, 3)))]
    if not rng.randrange(4):
        chosen.append(chosen[0])
    return head + blank + rng.choice((" ", " ", "\t", " \\\n", " \\\n# c\n ")).join(chosen) + rng.choice((" ", " ", "", "\t", " \\\n", " \u00a0", "\u0085")) + rest


def broken(rng, block):
    """Continuations where there were none."""
    for _ in range(rng.randrange(1, 4)):
        at = rng.randrange(len(block) + 1)
        block = block[:at] + rng.choice(("\\\n", "\\\n", "\\ \n", "\\\t \r\n", "\\\n\n", "\\\n# c\n", "\\\n  # c \\\n", "\\\\\n", "\\\n\\\n", "`\n", "\\\n\u00a0\n", "\\\n\u2003#\n", "\\\r", "\\\n\ufeff")) + block[at:]
    return block


def worked_on(rng, block):
    kind = rng.randrange(16)
    if kind == 0:
        return rng.choice(("ONBUILD ", "onbuild  ", "ONBUILD\t", "ONBUILD ONBUILD ", "ONBUILD \\\n ", "ONBUILD --from=x ", "OnBuild\u00a0")) + block
    if kind == 1:
        return flagged(rng, block)
    if kind == 2:
        return broken(rng, block)
    if kind == 3:
        return keyword(rng) + rng.choice((" ", " ", "\t", "", "\u00a0", " \\\n")) + array(rng) + "\n"
    if kind in (4, 14, 15):
        return document(rng)
    if kind == 5:
        return block.replace("\\\n", rng.choice(("\\\n\n", "\\\n# c\n", "`\n", "\\\r\n", "\\ \n", "\\\\\n", "\n", "\\\n \t\n")), rng.choice((1, -1)))
    if kind == 6:
        return keyword(rng) + " " + (block.split(" ", 1) + [""])[1]
    if kind == 7:
        return rng.choice(SPACES) * rng.randrange(1, 3) + block
    if kind == 8:
        at = rng.randrange(len(block) + 1)
        return block[:at] + rng.choice(SPACES) + block[at:]
    if kind == 9:
        return block.rstrip("\n") + rng.choice(SPACES + [" # c", "\\", "\\ ", "`", " \\\n"]) + "\n"
    if kind == 10:
        at = rng.randrange(len(block) + 1)
        return block[:at] + rng.choice(("'", '"', "\\", "$", "${", "}", "=", "<<", "[", "]", "#", "--", ",")) + block[at:]
    if kind == 11:
        return block.replace(*rng.choice((("=", " "), (" ", "="), ('"', "'"), ("'", '"'), ("$", "\\$"), ("{", ""), ("}", ""), ("/", "\\"), ("\n", "\r\n"), ("\n", "\r"), ("\n", ""), ("a", "\u00e4"), (" ", "  "))))
    if kind == 12:
        return "".join(c.swapcase() if not rng.randrange(3) else c for c in block)
    return keyword(rng) + " " + rng.choice(("a=b c", "a", "a=b c=d", "a b", "'a b'=c", "a='b", "a=b\\", "=b", "a==b", "a= b", 'a="b"c d', "a\\=b", "", "$x", "${x", "a=${x:-${y:-z}}", "80 443", "none", "NONE", "CMD", "NONE x", "cmd a", "a as b", "a AS", "a AS b c", "9", "a/b c/", "a b c"))  + "\n"


def bytewise(rng, raw):
    """A byte or a few put in, taken away, changed or moved."""
    at = rng.randrange(len(raw) + 1)
    kind = rng.randrange(5)
    if kind == 0:
        return raw[:at] + bytes([rng.choice((0, 9, 10, 11, 12, 13, 28, 32, 34, 35, 36, 39, 45, 58, 60, 61, 91, 92, 93, 96, 123, 125, 127))]) + raw[at:]
    if kind == 1:
        return raw[:at] + raw[at + rng.randrange(1, 9):]
    if kind == 2 and at < len(raw):
        return raw[:at] + bytes([raw[at] ^ (1 << rng.randrange(7))]) + raw[at + 1:]
    if kind == 3:
        end = min(len(raw), at + rng.randrange(1, 40))
        to = rng.randrange(len(raw) + 1)
        return raw[:to] + raw[at:end] + raw[to:]
    return raw[:at]


def mutant(rng, texts):
    """The bytes of a mutant: nearly always UTF-8."""
    parts = []
    whole = rng.randrange(2)
    if whole:
        # The beginning of a file, so that what is behind still makes sense, with something of others in it.
        parts = blocks(rng.choice(texts))[:rng.choice((10, 30, 60))] or ["\n"]
    for _ in range(rng.choice((0, 1)) if whole else rng.choice((1, 2, 2, 3))):
        theirs = blocks(rng.choice(texts)) or ["\n"]
        start = rng.randrange(len(theirs))
        at = rng.randrange(len(parts) + 1)
        parts[at:at] = theirs[start:start + rng.choice((1, 1, 3, 8))]
    if not whole and rng.randrange(8):
        parts.insert(0, rng.choice(("FROM x\n", "ARG x=1\nFROM x AS a\n", "FROM scratch AS a\nFROM a\n", "FROM --platform=linux/amd64 x AS A\n")))
    for _ in range(rng.choice((1, 1, 1, 2, 3))):
        i = rng.randrange(len(parts))
        parts[i] = worked_on(rng, parts[i])
    for _ in range(rng.choice((0, 0, 0, 1, 1, 2))):
        parts.insert(0, rng.choice(DIRECTIVES) + rng.choice(("\n", "\n", "\n", "\r\n", "\n\n")))
    text = "".join(parts)
    kind = rng.randrange(12)
    if kind == 0:
        text = text.replace("\n", "\r\n")
    elif kind == 1:
        text = "# escape=`\n" + text.replace("\\\n", "`\n")
    elif kind == 2:
        text = "\ufeff" + text
    elif kind == 3:
        text = text.rstrip("\n")
    raw = text.encode("utf-8", "replace")
    for _ in range(rng.choice((0, 0, 0, 0, 1, 1, 3))):
        raw = bytewise(rng, raw)
    return raw
