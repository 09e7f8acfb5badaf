#!/usr/bin/python3
"""Measures what must stay bounded however large the input is, prints the figures and fails when one is over its limit.

Called by scripts/limits.sh, which makes what this needs. Everything is below one work directory.
"""

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import time

MIB = 1 << 20


class Limits:
    def __init__(self, options):
        self.options = options
        self.work = options.work
        self.failed = False

    def build(self, context, dockerfile, *arguments):
        """Seconds and the largest resident size in bytes."""
        path = f"{self.work}/Dockerfile"
        with open(path, "w", encoding="utf-8") as file:
            file.write(dockerfile)
        command = [self.options.tektii, "build", "--progress", "quiet", "-f", path, *arguments, context]
        begin = time.monotonic()
        with open(f"{self.work}/log", "w+b") as log:
            process = subprocess.Popen(command, stdout=log, stderr=log,
                                       env={**os.environ, "TEKTII_CACHE_DIR": f"{self.work}/store"})
            _, status, usage = os.wait4(process.pid, 0)
            took = time.monotonic() - begin
            process.returncode = os.waitstatus_to_exitcode(status)
            if process.returncode != 0:
                log.seek(0)
                sys.exit(f"{' '.join(command)} failed:\n{log.read().decode(errors='replace')}")
        return took, usage.ru_maxrss * 1024

    def report(self, what, value, limit, unit):
        over = value > limit
        self.failed = self.failed or over
        print(f"| {what} | {value:.3g} {unit} | {limit:g} {unit} | {'over' if over else 'met'} |", flush=True)

    def drop(self, *names):
        for name in names:
            shutil.rmtree(f"{self.work}/{name}", ignore_errors=True)

    def large_layer(self):
        """Mostly a hole; the noise keeps those busy that write the blob and hash it."""
        context = f"{self.work}/large"
        os.mkdir(context)
        with open(f"{context}/hole", "wb") as file:
            file.truncate(7680 * MIB)
        with open(f"{context}/noise", "wb") as file:
            for _ in range(512):
                file.write(os.urandom(MIB))
        _, memory = self.build(context, "FROM scratch\nCOPY . /\n", "-o", f"type=oci,dest={self.work}/image")
        self.report("peak memory for a layer of 8 GiB", memory / MIB, 256, "MiB")
        self.drop("large", "image", "store")

    def many_files(self):
        """Small files and empty ones below names of the length that packages have."""
        context = f"{self.work}/many"
        count = self.options.files
        for number in range(count):
            directory = f"{context}/modules/package-{number // 100:05}/lib"
            if number % 100 == 0:
                os.makedirs(directory)
            with open(f"{directory}/module-{number:07}.js", "wb") as file:
                file.write(b"x" * (number % 3))
        time.sleep(3)  # what was changed a moment ago is not remembered
        for title in ("first build", "nothing is known of the files but their shape", "nothing changed"):
            _, memory = self.build(context, "FROM scratch\nCOPY . /\n", "-o", f"type=oci,dest={self.work}/image")
            self.report(f"peak memory for {count:,} files, a file ({title})", memory / count, 1024, "bytes")
            if title == "first build":
                self.drop("store/stat")
        self.drop("many", "image", "store")

    def run_over_many(self):
        context = f"{self.work}/tree"
        count = self.options.tree
        for number in range(count):
            directory = f"{context}/opt/tree/{number // 1000:03}"
            if number % 1000 == 0:
                os.makedirs(directory)
            with open(f"{directory}/file-{number:06}", "wb"):
                pass
        self.build(context, "FROM base\nCOPY . /\n", *self.base())
        text = "FROM base\nCOPY . /\nARG N\nRUN true $N\n"
        small = "FROM base\nARG N\nRUN true $N\n"
        self.build(context, text, "--build-arg", "N=0", *self.base())  # unpacks
        self.build(context, small, "--build-arg", "N=0", *self.base())
        over, under, known = [], [], []
        for number in range(1, 6):
            known.append(self.build(context, text, "--build-arg", "N=0", *self.base())[0])
            over.append(self.build(context, text, "--build-arg", f"N={number}", *self.base())[0])
            under.append(self.build(context, small, "--build-arg", f"N={number}", *self.base())[0])
        print(f"  (build with the RUN cached {statistics.median(known):.3f} s, without {statistics.median(over):.3f} s; "
              f"RUN over the base alone {statistics.median(under):.3f} s)", file=sys.stderr)
        self.report(f"RUN true over {count:,} files, beside the cached build",
                    statistics.median(over) - statistics.median(known), 0.15, "s")
        self.drop("tree", "store")

    def base(self):
        return ["--build-context", f"base=oci-layout://{self.options.base}"]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tektii", required=True)
    parser.add_argument("--base", required=True, help="OCI layout with a tag")
    parser.add_argument("--work", required=True)
    parser.add_argument("--files", type=int, default=1_000_000)
    parser.add_argument("--tree", type=int, default=500_000, help="files of the image below RUN")
    parser.add_argument("only", nargs="*", choices=[[], "layer", "files", "run"], help="parts; all by default")
    options = parser.parse_args()
    limits = Limits(options)
    print("| what | measured | limit | |\n|---|---|---|---|", flush=True)
    if not options.only or "layer" in options.only:
        limits.large_layer()
    if not options.only or "files" in options.only:
        limits.many_files()
    if not options.only or "run" in options.only:
        limits.run_over_many()
    sys.exit(1 if limits.failed else 0)


if __name__ == "__main__":
    main()
