#!/usr/bin/python3
"""Times builds by tektii, by Buildah, and the least work that any builder must do, and prints ratios of one run.

Called by scripts/bench.sh, which makes what this needs. Everything is below one work directory; the registry is a
docker-registry on loopback.
"""

import argparse
import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

BENCH = os.path.dirname(os.path.abspath(__file__))
RUN_DOCKERFILE = """FROM python:3.11-slim
RUN mkdir /data && cd /data && for i in $(seq 1 300); do mkdir $i; for j in $(seq 1 100); do echo $i $j >$i/$j; done; done
RUN echo one >/one
RUN echo two >/two
RUN echo three >/three
"""


class Registry:
    def __init__(self, directory):
        self.directory = directory
        os.makedirs(directory)
        with open(f"{directory}/config.yml", "w", encoding="utf-8") as file:
            file.write("version: 0.1\nlog: {level: info}\nstorage:\n  filesystem: {rootdirectory: %s/data}\n"
                       'http: {addr: "127.0.0.1:0"}\n' % directory)
        with open(f"{directory}/log", "wb") as log:
            self.process = subprocess.Popen(["docker-registry", "serve", f"{directory}/config.yml"],
                                            stdout=log, stderr=subprocess.STDOUT)
        self.address = None
        for _ in range(100):
            found = re.search(r"listening on (127\.0\.0\.1:\d+)", self.log())
            if found:
                self.address = found.group(1)
                return
            if self.process.poll() is not None:
                break
            time.sleep(0.1)
        sys.exit(f"docker-registry did not start:\n{self.log()}")

    def log(self):
        with open(f"{self.directory}/log", encoding="utf-8", errors="replace") as file:
            return file.read()

    def requests(self):
        """How many requests it has answered."""
        return sum("http.request.method" in line and "response completed" in line for line in self.log().splitlines())

    def forget(self, repository):
        shutil.rmtree(f"{self.directory}/data/docker/registry/v2/repositories/{repository}", ignore_errors=True)
        if repository != "base":
            self.drop_unused_blobs()

    def drop_unused_blobs(self):
        """A cold push must bring every blob but those of the base."""
        subprocess.run(["docker-registry", "garbage-collect", f"{self.directory}/config.yml"],
                       check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def stop(self):
        self.process.terminate()
        self.process.wait()


class Bench:
    def __init__(self, options):
        self.options = options
        self.work = options.work
        self.registry = Registry(f"{self.work}/registry")
        self.base = f"{self.registry.address}/base:1"
        subprocess.run(["skopeo", "copy", "--quiet", "--dest-tls-verify=false", f"oci:{options.base}",
                        f"docker://{self.base}"], check=True)
        self.rows = []
        self.stores = {}

    def timed(self, command, **kwargs):
        begin = time.monotonic()
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=False, **kwargs)
        took = time.monotonic() - begin
        if done.returncode != 0:
            sys.exit(f"{' '.join(command)} failed:\n{done.stdout}{done.stderr}")
        return took

    def dockerfile(self, name, text):
        path = f"{self.work}/{name}.Dockerfile"
        with open(path, "w", encoding="utf-8") as file:
            file.write(text.replace("FROM python:3.11-slim", f"FROM {self.base}"))
        return path

    def store(self, tool, cold):
        """A cold build gets a new directory: ext4 is slow to give out inodes that were freed a moment ago."""
        if cold or tool not in self.stores:
            self.stores[tool] = tempfile.mkdtemp(prefix=f"{tool}-", dir=self.work)
        return self.stores[tool]

    # One build and push by each tool.
    def tektii(self, dockerfile, context, cold, name):
        store = self.store("tektii", cold)
        return self.timed([self.options.tektii, "build", "--progress", "quiet", "--push", "-f", dockerfile,
                           "-t", f"{self.registry.address}/{name}:1", context],
                          env={**os.environ, "TEKTII_CACHE_DIR": store})

    def buildah(self, dockerfile, context, cold, name):
        store = self.store("buildah", cold)
        storage = ["buildah", "--root", f"{store}/root", "--runroot", f"{store}/run", "--storage-driver", "overlay"]
        if cold:
            shutil.rmtree("/var/lib/containers/cache", ignore_errors=True)
        image = f"{self.registry.address}/{name}:1"
        took = self.timed(storage + ["bud", "--quiet", "--layers", "--isolation", "chroot", "--network", "host",
                                     "--tls-verify=false", "-f", dockerfile, "-t", image, context])
        return took + self.timed(storage + ["push", "--quiet", "--tls-verify=false", image])

    def compare(self, title, run, floor=None, cold=True):
        """`run` is called with each tool's build function; medians of the runs, taken in turns."""
        tools = {"tektii": self.tektii}
        if not self.options.no_buildah:
            tools["buildah"] = self.buildah
        times = {tool: [] for tool in tools}
        floors = []
        for number in range(self.options.runs):
            if floor:
                floors.append(float(subprocess.run([self.options.floor, floor], check=True, capture_output=True,
                                                   text=True).stdout.split()[0]))
            for tool, build in tools.items():
                if cold:
                    self.registry.forget(f"bench-{tool}")
                times[tool].append(run(build, f"bench-{tool}", number))
                os.sync()  # what one has written is not the other's to wait for
        medians = {tool: statistics.median(values) for tool, values in times.items()}
        medians["floor"] = statistics.median(floors) if floors else None
        self.rows.append((title, medians))
        show(self.rows[-1])

    def copies(self):
        for kind, title in (("big", "COPY 1 GiB, 2,383 files"), ("many", "COPY 100,000 files, 270 MB")):
            context = f"{self.options.contexts}/{kind}"
            if not os.path.isdir(context):
                subprocess.run([f"{BENCH}/generate.py", kind, context + ".part"], check=True)
                os.rename(context + ".part", context)
            dockerfile = self.dockerfile(kind, "FROM scratch\nCOPY . /\n")
            self.timed([self.options.floor, context])  # warms the page cache for all alike
            self.compare(title, lambda build, name, _, c=context, d=dockerfile: build(d, c, True, name), floor=context)

    def runs(self):
        os.makedirs(f"{self.work}/empty", exist_ok=True)
        dockerfile = self.dockerfile("run", RUN_DOCKERFILE)
        self.compare("RUN writing 30,000 files, three small RUNs",
                     lambda build, name, _: build(dockerfile, f"{self.work}/empty", True, name))

    def documented(self):
        context = f"{self.work}/documented"
        shutil.copytree(f"{BENCH}/../examples/momentum", context)
        with open(f"{context}/Dockerfile", encoding="utf-8") as file:
            dockerfile = self.dockerfile("documented", file.read())
        self.compare("documented Dockerfile, cold", lambda build, name, _: build(dockerfile, context, True, name))

        def one_line(build, name, number):
            with open(f"{context}/strategy.py", "a", encoding="utf-8") as file:
                file.write(f"# {number} {name}\n")
            return build(dockerfile, context, False, name)

        self.compare("same, one source line changed", one_line, cold=False)
        for build, name in ((self.tektii, "bench-tektii"), (self.buildah, "bench-buildah")):
            if name == "bench-tektii" or not self.options.no_buildah:
                build(dockerfile, context, False, name)
        before = self.registry.requests()
        self.tektii(dockerfile, context, False, "bench-tektii")
        self.unchanged_requests = self.registry.requests() - before
        self.compare("same, nothing changed", lambda build, name, _: build(dockerfile, context, False, name), cold=False)


def seconds(value):
    return "" if value is None else f"{value:.2f} s"


def ratio(value, by):
    return "" if value is None or by is None else f"{value / by:.2f}"


def show(row):
    title, medians = row
    print(f"| {title} | {seconds(medians.get('floor'))} | {seconds(medians['tektii'])} | {seconds(medians.get('buildah'))} "
          f"| {ratio(medians['tektii'], medians.get('floor'))} | {ratio(medians.get('buildah'), medians['tektii'])} |",
          flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tektii", required=True)
    parser.add_argument("--floor", required=True)
    parser.add_argument("--base", required=True, help="OCI layout with a tag")
    parser.add_argument("--work", required=True)
    parser.add_argument("--contexts", required=True, help="where the generated contexts are kept")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--no-buildah", action="store_true")
    parser.add_argument("--json", help="write the medians, in seconds, to this file")
    parser.add_argument("only", nargs="*", choices=[[], "copy", "run", "documented"], help="parts; all by default")
    options = parser.parse_args()
    bench = Bench(options)
    try:
        print("| work | floor | tektii | Buildah | tektii / floor | Buildah / tektii |\n|---|---|---|---|---|---|", flush=True)
        if not options.only or "copy" in options.only:
            bench.copies()
        if not options.only or "run" in options.only:
            bench.runs()
        if not options.only or "documented" in options.only:
            bench.documented()
            print(f"\nRequests when nothing changed: {bench.unchanged_requests}")
    finally:
        bench.registry.stop()
    if options.json:
        with open(options.json, "w", encoding="utf-8") as file:
            json.dump(dict(bench.rows), file, indent=1)


if __name__ == "__main__":
    main()
