#!/usr/bin/env python3
"""Holds every #include and every CMake link line against the module table of docs/architecture.md.

    include_check.py [ROOT]       checks the project at ROOT (default: the one this file is in)
    include_check.py --self-test  plants violations in a temporary tree and expects each to be found
"""

import re
import sys
import tempfile
import unittest
from dataclasses import dataclass
from pathlib import Path

# The table's name of a library: how its headers begin, and its CMake targets.
LIBRARIES = {
    "CLI11": (("CLI/",), ("CLI11::CLI11",)),
    "OpenSSL": (("openssl/",), ("OpenSSL::Crypto", "OpenSSL::SSL")),
    "cpp-httplib": (("httplib.h",), ("${HTTPLIB_LIBRARY}",)),
    "libarchive": (("archive.h", "archive_entry.h"), ("LibArchive::LibArchive",)),
    "libcurl": (("curl/",), ("CURL::libcurl",)),
    "libdeflate": (("libdeflate.h",), ("PkgConfig::LIBDEFLATE",)),
    "libseccomp": (("seccomp.h",), ("PkgConfig::SECCOMP",)),
    "nlohmann_json": (("nlohmann/",), ("nlohmann_json::nlohmann_json",)),
    "toml++": (("toml++/",), ("tomlplusplus::headers",)),
    "zlib": (("zlib.h", "zconf.h"), ("ZLIB::ZLIB",)),
    "zstd": (("zstd.h", "zstd_errors.h"), ("PkgConfig::ZSTD",)),
}
EVERYWHERE = ("fmt/", "spdlog/")
# Folders of headers that belong to the system and not to a library.
SYSTEM_FOLDERS = {"arpa", "asm", "linux", "net", "netinet", "sys"}

INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]', re.MULTILINE)
MODULE_CALL = re.compile(r"^\s*tektii_module\(([^)]*)\)", re.MULTILINE)


@dataclass(frozen=True)
class Row:
    level: int
    uses: frozenset
    libraries: frozenset


def read_table(document):
    """The rows of the module table, by module. Exits when there is none or when a row makes no sense."""
    cells_of = {}
    for line in document.read_text(encoding="utf-8").splitlines():
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        if line.startswith("|") and len(cells) == 5 and cells[0].isdigit():
            cells_of[cells[1]] = cells
    if not cells_of:
        raise SystemExit(f"{document}: no module table found")
    rows = {}
    for name, (level, _, _, uses, libraries) in cells_of.items():
        used = set(cells_of) - {name} if uses == "all" else set(uses.split())
        unknown = (used - set(cells_of)) | (set(libraries.split()) - set(LIBRARIES))
        if unknown:
            raise SystemExit(f"{document}: the row of {name} names {', '.join(sorted(unknown))}, which does not exist")
        rows[name] = Row(int(level), frozenset(used), frozenset(libraries.split()))
    for name, row in rows.items():
        upward = sorted(used for used in row.uses if rows[used].level >= row.level)
        if upward:
            raise SystemExit(f"{document}: {name} may not use {', '.join(upward)}: the number is not lower")
    return rows


def library_of(header):
    for library, (prefixes, _) in LIBRARIES.items():
        if header.startswith(prefixes):
            return library
    return None


def angle_fault(rows, module, public, header):
    """What is wrong with #include <header> in a file of `module`; None when nothing is."""
    parts = header.split("/")
    if parts[0] == "tektii":
        used = parts[1] if len(parts) > 2 else ""
        if used == module or used in rows[module].uses:
            return None
        return f"{module} may not use {used}" if used in rows else f"<{header}> names no module"
    if header.startswith(EVERYWHERE):
        return None
    library = library_of(header)
    if library is None:
        known = len(parts) == 1 or parts[0] in SYSTEM_FOLDERS
        return None if known else f"<{header}> is of a library that tests/include_check.py does not know"
    if library not in rows[module].libraries:
        return f"{module} may not use the library {library}"
    return f"the public header shows the library {library}" if public else None


def quoted_fault(rows, module, root, path, header):
    """The same for #include "header": a private header, which stays inside its module."""
    beside = (path.parent / header).resolve()
    target = beside if beside.is_file() else (root / "src" / header).resolve()
    if not target.is_file():
        return f'"{header}" is neither beside the file nor under src/'
    home = root.resolve() / "src" / module
    if home in target.parents:
        return None
    return f'"{header}" is a private header of another module'


def check_includes(root, rows):
    for folder, public in ((root / "include" / "tektii", True), (root / "src", False)):
        for path in sorted(folder.rglob("*")):
            if path.suffix not in (".hpp", ".cpp", ".h"):
                continue
            module = path.relative_to(folder).parts[0]
            where = path.relative_to(root)
            if module not in rows:
                yield f"{where}: the module table has no row for {module}"
                continue
            text = path.read_text(encoding="utf-8")
            for match in INCLUDE.finditer(text):
                kind, header = match.groups()
                if kind == "<":
                    fault = angle_fault(rows, module, public, header)
                else:
                    fault = quoted_fault(rows, module, root, path, header)
                if fault:
                    yield f"{where}:{text.count(chr(10), 0, match.start(2)) + 1}: {fault}"


def parse_module_call(arguments):
    """(name, {keyword: words}) of the arguments of tektii_module()."""
    words = arguments.split()
    found, keyword = {"USES": [], "LINKS": [], "PUBLIC_LINKS": []}, None
    for word in words[1:]:
        if word in found:
            keyword = word
        elif keyword:
            found[keyword].append(word)
    return words[0], found


def check_cmake(root, rows):
    target_library = {target: name for name, (_, targets) in LIBRARIES.items() for target in targets}
    seen = set()
    for path in sorted((root / "src").glob("*/CMakeLists.txt")):
        where = path.relative_to(root)
        for match in MODULE_CALL.finditer(path.read_text(encoding="utf-8")):
            name, found = parse_module_call(match.group(1))
            seen.add(name)
            if name not in rows:
                yield f"{where}: the module table has no row for {name}"
                continue
            linked = {target_library.get(target, target) for target in found["LINKS"] + found["PUBLIC_LINKS"]}
            for what, actual, wanted in (("USES", set(found["USES"]), rows[name].uses),
                                         ("links the libraries", linked, rows[name].libraries)):
                if actual != wanted:
                    yield (f"{where}: {what} {' '.join(sorted(actual)) or 'nothing'}, "
                           f"but the table says {' '.join(sorted(wanted)) or 'nothing'}")
    for name in sorted(set(rows) - seen):
        yield f"src/{name}/CMakeLists.txt: no tektii_module({name} ...)"


def check(root):
    rows = read_table(root / "docs" / "architecture.md")
    return list(check_includes(root, rows)) + list(check_cmake(root, rows))


class SelfTest(unittest.TestCase):
    TABLE = """
| # | module | one line | may use | libraries |
|---|---|---|---|---|
| 0 | util | bytes | | zlib |
| 1 | net | requests | util | libcurl |
| 2 | cli | options | all | |
"""

    def setUp(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.root = Path(directory.name)
        self.write("docs/architecture.md", self.TABLE)
        self.write("src/util/CMakeLists.txt", "tektii_module(util LINKS ZLIB::ZLIB)\n")
        self.write("src/net/CMakeLists.txt", "tektii_module(net USES util\n  LINKS CURL::libcurl)\n")
        self.write("src/cli/CMakeLists.txt", "tektii_module(cli USES util net)\n")
        self.write("src/net/private.hpp", "#pragma once\n")
        self.write("src/net/send.cpp", '#include "private.hpp"\n#include "net/private.hpp"\n#include <curl/curl.h>\n'
                                       "#include <sys/stat.h>\n#include <vector>\n#include <fmt/core.h>\n"
                                       "#include <tektii/util/file.hpp>\n#include <tektii/net/http.hpp>\n")

    def write(self, path, text):
        (self.root / path).parent.mkdir(parents=True, exist_ok=True)
        (self.root / path).write_text(text, encoding="utf-8")

    def expect(self, *parts):
        faults = check(self.root)
        self.assertEqual(len(faults), 1, faults)
        for part in parts:
            self.assertIn(part, faults[0])

    def test_a_clean_tree_passes(self):
        self.assertEqual(check(self.root), [])

    def test_module_outside_the_row(self):
        self.write("src/util/bad.cpp", "\n  #  include <tektii/net/http.hpp>\n")
        self.expect("src/util/bad.cpp:2:", "util may not use net")

    def test_module_that_does_not_exist(self):
        self.write("src/cli/bad.cpp", "#include <tektii/nett/http.hpp>\n")
        self.expect("names no module")

    def test_library_outside_the_row(self):
        self.write("src/cli/bad.cpp", "#include <curl/curl.h>\n")
        self.expect("src/cli/bad.cpp:1:", "cli may not use the library libcurl")

    def test_library_that_nobody_knows(self):
        self.write("src/cli/bad.cpp", "#include <boost/any.hpp>\n")
        self.expect("does not know")

    def test_library_in_a_public_header(self):
        self.write("include/tektii/net/http.hpp", "#include <curl/curl.h>\n")
        self.expect("include/tektii/net/http.hpp:1:", "public header")

    def test_private_header_of_another_module(self):
        self.write("src/cli/bad.cpp", '#include "net/private.hpp"\n')
        self.expect("private header of another module")

    def test_private_header_by_a_way_up(self):
        self.write("src/cli/bad.cpp", '#include "../net/private.hpp"\n')
        self.expect("private header of another module")

    def test_cmake_that_uses_more(self):
        self.write("src/util/CMakeLists.txt", "tektii_module(util USES net LINKS ZLIB::ZLIB)\n")
        self.expect("USES net, but the table says nothing")

    def test_cmake_that_links_more(self):
        self.write("src/cli/CMakeLists.txt", "tektii_module(cli USES util net LINKS CURL::libcurl)\n")
        self.expect("links the libraries libcurl")

    def test_module_without_a_row(self):
        self.write("src/extra/new.cpp", "#include <vector>\n")
        self.expect("no row for extra")

    def test_table_that_points_upward(self):
        self.write("docs/architecture.md", self.TABLE.replace("bytes | |", "bytes | net |"))
        with self.assertRaisesRegex(SystemExit, "util may not use net"):
            check(self.root)

    def test_missing_table(self):
        self.write("docs/architecture.md", "nothing here\n")
        with self.assertRaisesRegex(SystemExit, "no module table"):
            check(self.root)


def main():
    if sys.argv[1:] == ["--self-test"]:
        unittest.main(argv=sys.argv[:1], verbosity=0)
    root = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).resolve().parent.parent
    faults = check(root)
    print("\n".join(faults) if faults else "every #include and link line follows the module table")
    sys.exit(1 if faults else 0)


if __name__ == "__main__":
    main()
