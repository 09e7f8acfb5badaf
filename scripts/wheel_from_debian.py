#!/usr/bin/env python3
"""Makes a wheel of a pure-Python distribution that Debian has installed, byte for byte the same on every machine.

    wheel_from_debian.py DISTRIBUTION OUTPUT_DIRECTORY

Prints the path of the wheel. The example's base image carries such wheels, so that a quickstart needs no other source
than Debian's mirror; `pip install NAME==VERSION` finds the same release on the public index elsewhere.
"""

import base64
import hashlib
import sys
import zipfile
from importlib import metadata
from pathlib import Path

FIXED_TIME = (1980, 1, 1, 0, 0, 0)  # the first that a zip file can hold


def module_files(distribution):
    """The sources that the distribution's top_level.txt names, as (name in the wheel, bytes)."""
    for name in sorted((distribution.read_text("top_level.txt") or "").split()):
        module = Path(distribution.locate_file(name + ".py"))
        package = Path(distribution.locate_file(name))
        if module.is_file():
            yield module.name, module.read_bytes()
        elif package.is_dir():
            for path in sorted(package.rglob("*")):
                if path.is_file() and "__pycache__" not in path.parts:
                    yield path.relative_to(package.parent).as_posix(), path.read_bytes()
        else:
            raise SystemExit(f"{name}: neither a module nor a package of pure Python")


def wheel_metadata(distribution):
    """The dist-info files without RECORD (binary distribution format 1.0)."""
    # An egg-info's PKG-INFO is a METADATA without its Requires-Dist lines, which requires.txt holds. Only extras are
    # let go of here: a distribution that needs another one would be wrong without it.
    requirements = (distribution.read_text("requires.txt") or "").split("[", 1)[0].split()
    if requirements:
        raise SystemExit(f"it requires {', '.join(requirements)}; only distributions without requirements are supported")
    yield "METADATA", (distribution.read_text("METADATA") or distribution.read_text("PKG-INFO")).encode()
    yield "WHEEL", b"Wheel-Version: 1.0\nGenerator: wheel_from_debian\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    yield "top_level.txt", distribution.read_text("top_level.txt").encode()
    entry_points = distribution.read_text("entry_points.txt")
    if entry_points:
        yield "entry_points.txt", entry_points.encode()


def record_line(path, content):
    digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
    return f"{path},sha256={digest},{len(content)}\n"


def build_wheel(name, directory):
    distribution = metadata.distribution(name)
    version = distribution.version
    escaped = name.replace("-", "_")
    info = f"{escaped}-{version}.dist-info"
    files = list(module_files(distribution))
    files += [(f"{info}/{path}", content) for path, content in wheel_metadata(distribution)]
    record = "".join(record_line(path, content) for path, content in files) + f"{info}/RECORD,,\n"
    files.append((f"{info}/RECORD", record.encode()))

    directory.mkdir(parents=True, exist_ok=True)
    wheel = directory / f"{escaped}-{version}-py3-none-any.whl"
    # Stored, not deflated: the bytes then do not depend on the zlib at hand.
    with zipfile.ZipFile(wheel, "w", zipfile.ZIP_STORED) as archive:
        for path, content in files:
            entry = zipfile.ZipInfo(path, FIXED_TIME)
            entry.external_attr = 0o100644 << 16
            archive.writestr(entry, content)
    return wheel


def main():
    if len(sys.argv) != 3:
        raise SystemExit(__doc__)
    try:
        print(build_wheel(sys.argv[1], Path(sys.argv[2])))
    except metadata.PackageNotFoundError:
        raise SystemExit(f"Error: the Debian package python3-{sys.argv[1]} is not installed; run scripts/setup.sh")


if __name__ == "__main__":
    main()
