#!/usr/bin/python3
"""Builds the cases with tektii and with a reference builder and compares success, OCI configuration and file tree.

    differential.py [--against buildah|buildkit|none] [--jobs N] [--keep DIR] [CASE...]

CASE is the name of a case or a pattern (`copy-*`); all of them without one. Prints a table and a summary; the exit code is 0
when nothing failed, 125 when nothing could run. scripts/differential.sh is the way to call it.
"""

import argparse
import concurrent.futures
import fnmatch
import functools
import glob
import http.server
import os
import shutil
import signal
import sys
import tempfile
import threading
import time

import builders
from case_file import Case
from compare import config_differences, history_differences, tree_differences, unmet_expectations
from image_tree import Flattener, load_image

HERE = os.path.dirname(os.path.abspath(__file__))

# What builders leave in a root file system around a RUN: mount points and files that they bind over. None of them is part
# of what a Dockerfile says.
LEFT_BY_RUN = ("/dev", "/proc", "/sys", "/run", "/etc/hosts", "/etc/resolv.conf", "/etc/hostname", "/etc/mtab")

# Differences of one case that are printed.
SHOWN = 12


class Outcome:
    def __init__(self, case, status, note="", details=(), seconds=(0, 0)):
        self.case, self.status, self.note, self.details, self.seconds = case, status, note, list(details), seconds


class Suite:
    def __init__(self, options, work):
        self._options, self._work = options, work
        self._ours = builders.Tektii(options.tektii, options.base, work)
        self._reference = None
        if options.against == "buildah":
            self._reference = builders.Buildah(options.base, work)
        elif options.against == "buildkit":
            self._reference = builders.BuildKit(options.base)
        base = load_image(options.base.rpartition(":")[0])
        self._flattener = Flattener(base.diff_ids)
        self._flattener.flatten(base)
        self._lock = threading.Lock()
        self._address = "http://127.0.0.1:%d" % self._serve(os.path.join(work, "cases"))

    @staticmethod
    def _serve(directory):
        """Serves the cases' files on a free port of the loopback interface until the process ends; returns the port."""
        class Handler(http.server.SimpleHTTPRequestHandler):
            def log_message(self, *_):
                pass
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Handler, directory=directory))
        threading.Thread(target=server.serve_forever, daemon=True).start()
        return server.server_address[1]

    def close(self):
        if self._reference:
            self._reference.close()

    def run(self, case):
        directory = os.path.join(self._work, "cases", case.name)
        try:
            case.materialise(directory, "%s/%s/www" % (self._address, case.name))
            return self._run(case, directory)
        except Exception as error:  # a broken case must not hide the outcome of the others
            return Outcome(case, "failed", "%s: %s" % (type(error).__name__, error))
        finally:
            if not self._options.keep:
                shutil.rmtree(directory, ignore_errors=True)

    def _run(self, case, directory):
        args = [word.replace("{dir}", directory) for word in case.args]
        outputs = [os.path.join(directory, name) for name in ("ours", "theirs")]
        ours = self._ours.build(directory, args, outputs[0])
        differs = case.differs.get(self._reference.name) if self._reference else ("cannot", "")
        alone = differs is not None
        theirs = None if alone else self._reference.build(directory, args, outputs[1])
        seconds = (ours.seconds, theirs.seconds if theirs else 0)

        details = self._success_differences(case, ours, theirs)
        if not details and ours.ok:
            images = [load_image(output) for output in outputs[:1 if alone else 2]]
            with self._lock:  # decompressing and hashing: two at once would only share the interpreter
                trees = [self._flattener.flatten(image) for image in images]
            details += unmet_expectations(case.expect, images[0], trees[0])
            if not alone:
                details += config_differences(images[0].config, images[1].config, self._reference.name)
                details += tree_differences(*trees, [*case.ignore, *LEFT_BY_RUN], case.times)
                if self._reference.name == "buildkit":
                    details += history_differences(images[0].config, images[1].config)
        note = "" if not alone else "alone" if not self._reference else "alone: " + differs[1]
        return Outcome(case, "failed" if details else "passed", note, details, seconds)

    @staticmethod
    def _success_differences(case, ours, theirs):
        expected = case.fails is None
        details = []
        if ours.ok != expected:
            details.append("our build %s\n%s" % ("succeeded" if ours.ok else "failed", _tail(ours.log)))
        elif not expected and case.fails not in ours.log:
            details.append("our message does not say %r\n%s" % (case.fails, _tail(ours.log)))
        if theirs and theirs.ok != expected:
            details.append("their build %s\n%s" % ("succeeded" if theirs.ok else "failed", _tail(theirs.log)))
        return details


def _tail(text):
    return "\n".join("    | " + line for line in text.strip().splitlines()[-8:])


def selected_cases(patterns):
    paths = sorted(glob.glob(os.path.join(HERE, "cases", "*.txt")))
    names = {os.path.splitext(os.path.basename(path))[0]: path for path in paths}
    if not patterns:
        return [Case(path) for path in paths]
    chosen = []
    for pattern in patterns:
        found = [path for name, path in names.items() if fnmatch.fnmatch(name, pattern)]
        if not found:
            sys.exit("differential.py: no case is called %s" % pattern)
        chosen += [path for path in found if path not in chosen]
    return [Case(path) for path in chosen]


def report(outcome):
    line = "%-44s %-7s %6.1fs %6.1fs  %s" % (outcome.case.name, outcome.status, *outcome.seconds, outcome.note)
    print(line.rstrip(), flush=True)
    for detail in outcome.details[:SHOWN]:
        print("    " + detail, flush=True)
    if len(outcome.details) > SHOWN:
        print("    and %d more" % (len(outcome.details) - SHOWN), flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tektii", required=True, help="the binary")
    parser.add_argument("--base", required=True, help="OCI layout of the base image, DIR:TAG")
    parser.add_argument("--against", choices=("buildah", "buildkit", "none"), default="buildah")
    parser.add_argument("--jobs", type=int, default=2, help="cases that are built side by side")
    parser.add_argument("--keep", metavar="DIR", help="leave contexts and images in DIR")
    parser.add_argument("cases", nargs="*", metavar="CASE")
    options = parser.parse_args()

    cases = selected_cases(options.cases)
    missing = options.against != "none" and builders.missing_program(options.against)
    if missing:
        print("%s is not installed\n0 passed, 0 failed, %d skipped" % (missing, len(cases)))
        sys.exit(125)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    started = time.monotonic()
    work = options.keep or tempfile.mkdtemp(prefix="tektii-diff.", dir="/tmp")
    os.makedirs(work, exist_ok=True)
    os.umask(0o022)
    try:
        suite = Suite(options, work)
        print("%-44s %-7s %7s %7s" % ("case", "result", "tektii", options.against))
        outcomes = []
        pool = concurrent.futures.ThreadPoolExecutor(options.jobs)
        try:
            for outcome in pool.map(suite.run, cases):
                report(outcome)
                outcomes.append(outcome)
        finally:
            pool.shutdown(cancel_futures=True)  # an interrupted run waits for the cases that are being built, not for all
            suite.close()
    finally:
        if not options.keep:
            shutil.rmtree(work, ignore_errors=True)
    failed = sum(outcome.status == "failed" for outcome in outcomes)
    alone = sum(outcome.note.startswith("alone") for outcome in outcomes)
    print("%d passed, %d failed, 0 skipped (%d compared, %d by their own expectations) in %.0f s" %
          (len(outcomes) - failed, failed, len(outcomes) - alone, alone, time.monotonic() - started))
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
