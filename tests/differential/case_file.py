r"""Case files: a Dockerfile, its context and what is expected, in one text file.

    What the case tests, in words.
    @args --target final --build-arg A=1      options of `docker build`, for every builder; repeatable
    @fails TEXT                               the build fails, and our message contains TEXT
    @buildah differs REASON                   Debian's Buildah 1.28 does it in another way: @expect decides
    @buildah cannot REASON                    Debian's Buildah 1.28 refuses it: @expect decides
    @buildkit differs REASON                  the same for --against buildkit: a deliberate difference
    @docs "..."                               words of the reference that decide, under one of the lines above
    @ignore PATH REASON                       a path that can't be compared
    @times PATH...                            files whose modification time is compared too
    @expect config KEY JSON                   a key of the OCI configuration; null: absent
    @expect tree PATH KIND [MODE [UID:GID]] [target=...] [links=N] [size=BYTES] [mtime=SECONDS] [xattr=NAME] [text=...]
    @expect absent PATH...
    -- Dockerfile --
    FROM base
    -- path/in/context [ATTRIBUTE...] --
    content

The text= of an expectation is the rest of its line; \n is a line feed, one at the end is left out.

Attributes: mode=0640 owner=1:2 mtime=SECONDS dir fifo socket link=TARGET hard=PATH size=BYTES (sparse) bare (no newline
at the end) crlf xattr=NAME=VALUE capability tar[=gz|bz2|xz|zst] (a line per member: MODE UID:GID NAME [content |
-> target | => hard link]; a NAME with a slash at the end is a directory). A path that begins with @NAME/ is outside the
context, in {dir}/NAME; {dir} can be used in @args. {http} in a file is the address of a server for @www. Paths with blanks
are quoted.
"""

import io
import os
import shlex
import socket
import subprocess
import tarfile
import zlib

# Of the members of archives, 2020-02-02T02:02:02Z, and roughly of all files that a case does not date. Those have a time
# for each case, because BuildKit takes a file for one of the build before when path, size and time are the same.
MTIME = 1580608922


class Case:
    def __init__(self, path):
        self.path = path
        self.name = os.path.splitext(os.path.basename(path))[0]
        self.about = ""
        self.args, self.expect, self.times, self.docs = [], [], [], []
        self.fails = None
        self.ignore = {}
        self.differs = {}  # builder -> (verb, reason)
        self.files = []  # (path, attributes, content)
        with open(path, encoding="utf-8", newline="") as file:
            self._parse([line + "\n" for line in file.read().removesuffix("\n").split("\n")])

    def _parse(self, lines):
        name, attributes, content = None, None, []
        for number, line in enumerate(lines, 1):
            if line.startswith("-- ") and line.rstrip("\n").endswith(" --"):
                self._end_file(name, attributes, content)
                name, *attributes = shlex.split(line.rstrip("\n")[3:-3])
                content = []
            elif name is not None:
                content.append(line)
            elif line.startswith("@"):
                self._directive(number, *(line[1:].strip().split(None, 1) + [""])[:2])
            else:
                self.about += line
        self._end_file(name, attributes, content)
        self.about = " ".join(self.about.split())
        if not self.about or not any(name == "Dockerfile" for name, _, _ in self.files) and "-f" not in self.args:
            raise ValueError("%s: a case says what it tests and has a Dockerfile" % self.path)
        if self.differs and not self.expect and self.fails is None:
            raise ValueError("%s: a builder that differs leaves nothing to compare: say what is expected" % self.path)

    def _end_file(self, name, attributes, content):
        if name is not None:
            self.files.append((name, attributes, "".join(content)))

    def _directive(self, number, key, value):
        if key == "args":
            self.args += shlex.split(value)
        elif key == "fails":
            self.fails = value
        elif key in ("buildah", "buildkit"):
            verb, _, reason = value.partition(" ")
            if verb not in ("differs", "cannot") or not reason:
                raise ValueError("%s:%d: differs or cannot, and the reason" % (self.path, number))
            self.differs[key] = (verb, reason)
        elif key == "ignore":
            path, _, reason = value.partition(" ")
            self.ignore[path] = reason
        elif key == "times":
            self.times += shlex.split(value)
        elif key == "expect":
            self.expect.append(value)
        elif key == "docs":
            self.docs.append(value)
        else:
            raise ValueError("%s:%d: unknown key @%s" % (self.path, number, key))

    def materialise(self, directory, http=""):
        """Writes the context to directory/context and what is outside of it beside; {http} stands for the server."""
        made, default = set(), MTIME + zlib.crc32(self.name.encode()) % 10_000_000
        os.makedirs(os.path.join(directory, "context"))
        for name, attributes, content in self.files:
            top = "" if name.startswith("@") else "context/"
            path = os.path.join(directory, top + name.lstrip("@"))
            parent = os.path.dirname(path)
            while not os.path.isdir(parent):
                made.add(parent)
                parent = os.path.dirname(parent)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            _write(path, directory, attributes, content.replace("{http}", http))
            made.add(path)
        # Children first, so that the time of a directory stays.
        for path in sorted(made, key=len, reverse=True):
            attributes = next((a for n, a, _ in self.files if path.endswith("/" + n.strip("@/"))), [])
            seconds = next((int(a[6:]) for a in attributes if a.startswith("mtime=")), default)
            os.utime(path, (seconds, seconds), follow_symlinks=False)


def _write(path, directory, attributes, content):
    options = dict((attribute.split("=", 1) + [""])[:2] for attribute in attributes)
    mode = int(options.get("mode", "0755" if "dir" in options else "0644"), 8)
    if "crlf" in options:
        content = content.replace("\n", "\r\n")
    if "bare" in options:
        content = content.rstrip("\n")
    if "link" in options:
        os.symlink(options["link"], path)
    elif "hard" in options:
        os.link(os.path.join(directory, "context", options["hard"]), path)
        return
    elif "fifo" in options:
        os.mkfifo(path)
    elif "socket" in options:
        # The path of a socket is short, that of a context may not be.
        with socket.socket(socket.AF_UNIX) as bound:
            here = os.open(os.path.dirname(path), os.O_PATH)
            bound.bind("/proc/self/fd/%d/%s" % (here, os.path.basename(path)))
            os.close(here)
    elif "dir" in options:
        os.makedirs(path, exist_ok=True)
    elif "tar" in options:
        with open(path, "wb") as file:
            file.write(_archive(content, options["tar"]))
    else:
        with open(path, "wb") as file:
            file.write(content.encode())
            if "size" in options:
                file.truncate(int(options["size"]))
    if "owner" in options:
        os.chown(path, *map(int, options["owner"].split(":")), follow_symlinks=False)
    if "link" not in options:
        os.chmod(path, mode)
    if "capability" in options:  # cap_net_raw, permitted and effective
        os.setxattr(path, "security.capability", bytes.fromhex("01000002" "00200000" + "00000000" * 3))
    for attribute in attributes:
        if attribute.startswith("xattr="):
            key, value = attribute[6:].split("=", 1)
            os.setxattr(path, key, value.encode())


def _archive(content, compression):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for line in content.splitlines():
            mode, owner, name, *rest = line.split(" ", 3)
            member = tarfile.TarInfo(name)
            member.mode, member.mtime = int(mode, 8), MTIME
            member.uid, member.gid = map(int, owner.split(":"))
            rest = rest[0] if rest else ""
            if name.endswith("/"):
                member.type = tarfile.DIRTYPE
            elif rest.startswith("-> "):
                member.type, member.linkname = tarfile.SYMTYPE, rest[3:]
            elif rest.startswith("=> "):
                member.type, member.linkname = tarfile.LNKTYPE, rest[3:]
            else:
                rest += "\n"
                member.size = len(rest.encode())
            archive.addfile(member, io.BytesIO(rest.encode()))
    data = out.getvalue()
    program = {"gz": ["gzip", "-n"], "bz2": ["bzip2"], "xz": ["xz"], "zst": ["zstd", "-q"]}.get(compression)
    return subprocess.run([*program, "-c"], input=data, stdout=subprocess.PIPE, check=True).stdout if program else data
