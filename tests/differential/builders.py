"""The builders that a case is given to. Each has a name and build(case_directory, args, output) -> Result; a
reference has close() too.

`args` are options of `docker build`; what a builder calls otherwise is translated here. The base image is named `base` in
Dockerfiles. `output` is a directory that does not exist; after a success it holds the image for image_tree.load_image.
"""

import json
import os
import shutil
import subprocess
import time

TIMEOUT = 300  # seconds for one build


class Result:
    def __init__(self, ok, log, seconds):
        self.ok, self.log, self.seconds = ok, log, seconds


def _run(command, directory, environment=None):
    """Runs a build in its case's directory; the log holds what it wrote to stdout and stderr."""
    started = time.monotonic()
    try:
        done = subprocess.run(command, cwd=directory, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, timeout=TIMEOUT, check=False,
                              env={**os.environ, **(environment or {})})
        ok, log = done.returncode == 0, done.stdout.decode(errors="replace")
    except subprocess.TimeoutExpired as error:
        ok, log = False, (error.stdout or b"").decode(errors="replace") + "\nno end after %d seconds" % TIMEOUT
    return Result(ok, log, time.monotonic() - started)


class Tektii:
    """The binary under test. Modes and times are kept, because the other builders keep them."""

    name = "tektii"

    def __init__(self, binary, base, work):
        self._binary, self._base = binary, base
        self._environment = {"TEKTII_CACHE_DIR": os.path.join(work, "tektii-cache"), "DOCKER_CONFIG": "/nonexistent"}

    def build(self, directory, args, output):
        return _run([self._binary, "build", "--progress", "plain", "--preserve-modes", "--timestamps", "preserve",
                     "--build-context", "base=oci-layout://" + self._base, "-o", "type=oci,dest=" + output,
                     *args, "context"], directory, self._environment)


class Buildah:
    """Debian's Buildah as root, with a storage of its own: overlay and chroot need neither a daemon nor cgroups."""

    name = "buildah"

    def __init__(self, base, work):
        self._storage = os.path.join(work, "storage")
        self._command = ["buildah", "--root", self._storage, "--runroot", os.path.join(work, "run"),
                         "--storage-driver", "overlay", "--registries-conf", os.path.join(work, "registries.conf")]
        with open(os.path.join(work, "registries.conf"), "w", encoding="utf-8") as file:
            file.write("unqualified-search-registries = []\n")
        image = self._checked("pull", "--quiet", "oci:" + base).split()[-1]
        self._checked("tag", image, "localhost/base:latest")

    def close(self):
        """Takes down the mount that the storage driver keeps of its own directory, so that it can be removed."""
        subprocess.run(["umount", "--recursive", "--lazy", os.path.join(self._storage, "overlay")],
                       stderr=subprocess.DEVNULL, check=False)

    def _checked(self, *arguments):
        done = subprocess.run([*self._command, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
        if done.returncode != 0:
            raise RuntimeError("buildah %s: %s" % (arguments[0], done.stderr.decode(errors="replace")))
        return done.stdout.decode()

    def build(self, directory, args, output):
        # The docker format, because the OCI one has no place for HEALTHCHECK, SHELL and ONBUILD in Buildah.
        iid = output + ".iid"
        result = _run([*self._command, "build", "--isolation", "chroot", "--pull=never", "--format", "docker",
                       "--iidfile", iid, *_with_file_in_context(args), "context"], directory)
        if result.ok:
            with open(iid, encoding="utf-8") as file:
                image = file.read().strip()
            pushed = _run([*self._command, "push", "--quiet", "--disable-compression", image, "dir:" + output], directory)
            result = Result(pushed.ok, result.log + ("" if pushed.ok else pushed.log), result.seconds)
        return result


class BuildKit:
    """A buildkitd that runs already (BUILDKIT_HOST), asked by buildctl. For use by hand: no package of Debian 12 has it."""

    name = "buildkit"

    def __init__(self, base):
        self._base, _, tag = base.rpartition(":")
        with open(os.path.join(self._base, "index.json"), encoding="utf-8") as file:
            self._digest = next(entry["digest"] for entry in json.load(file)["manifests"]
                                if entry.get("annotations", {}).get("org.opencontainers.image.ref.name") == tag)

    def build(self, directory, args, output):
        command = ["buildctl", "build", "--progress", "plain", "--frontend", "dockerfile.v0", "--local", "context=context",
                   "--oci-layout", "base=" + self._base, "--opt", "context:base=oci-layout://base@" + self._digest,
                   "--output", "type=oci,tar=false,dest=" + output]
        return _run(command + self._translated(args, directory), directory)

    def close(self):
        pass

    @staticmethod
    def _translated(args, directory):
        result, words, dockerfile = [], list(args), "context/Dockerfile"
        while words:
            word = words.pop(0)
            value = words.pop(0) if word not in ("--no-cache",) else ""
            if word in ("--build-arg", "--label"):
                result += ["--opt", "%s:%s" % (word[2:], value)]
            elif word == "--target":
                result += ["--opt", "target=" + value]
            elif word in ("-f", "--file"):
                dockerfile = value
            elif word == "--build-context":
                name, _, source = value.partition("=")
                result += ["--local", "%s=%s" % (name, source), "--opt", "context:%s=local:%s" % (name, name)]
            elif word in ("--secret", "--ssh", "--allow"):
                result += [word, value]
            elif word == "--no-cache":
                result.append(word)
            elif word == "--network":
                result += ["--opt", "force-network-mode=" + value]
            else:
                raise ValueError("how does buildctl call %s?" % word)
        dockerfile = _without_syntax_line(os.path.join(directory, dockerfile))
        return result + ["--local", "dockerfile=" + os.path.dirname(dockerfile),
                         "--opt", "filename=" + os.path.basename(dockerfile)]


def _without_syntax_line(path):
    """BuildKit fetches the frontend that a `# syntax=` names; cases need no network, so it gets a copy without."""
    with open(path, encoding="utf-8") as file:
        first, _, rest = file.read().partition("\n")
    if not first.startswith("# syntax="):
        return path
    copy = os.path.join(os.path.dirname(os.path.dirname(path)), "without-syntax", os.path.basename(path))
    os.makedirs(os.path.dirname(copy), exist_ok=True)
    with open(copy, "w", encoding="utf-8") as file:
        file.write(rest)
    return copy


def _with_file_in_context(args):
    """Buildah looks for --file below the context first; our cases name it from the case's directory."""
    return [os.path.abspath(word) if previous in ("-f", "--file") else word
            for previous, word in zip(["", *args], args)]


def missing_program(against):
    """What has to be installed for a builder, or None."""
    program = {"buildah": "buildah", "buildkit": "buildctl"}[against]
    return None if shutil.which(program) else program
