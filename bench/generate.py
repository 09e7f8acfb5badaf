#!/usr/bin/python3
"""Makes the build contexts of the benchmark, the same bytes on every machine.

    bench/generate.py big DIR [MIB]      mixed files of MIB mebibytes in all (1024: 2,383 files)
    bench/generate.py many DIR [COUNT]   COUNT small files (100,000: 270 MB)
    bench/generate.py tree DIR [COUNT]   COUNT empty files, for layers of very many
"""

import os
import random
import sys

WORDS = [word.encode() for word in (
    "import numpy pandas def return self price candle order strategy signal window mean std if else for in range class "
    "async await position equity drawdown sharpe 0 1 2 3 = + - * / ( ) : , . \n    ").split(" ")]


def text(source, size):
    out = bytearray()
    while len(out) < size:
        out += source.choice(WORDS) + b" "
    return bytes(out[:size])


def write(path, data):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as file:
        file.write(data)


def big(directory, mebibytes=1024):
    """Half of the files are text, a third half noise and half zeros, the rest noise and text in turns."""
    source = random.Random(2)
    left = mebibytes << 20
    base = text(source, 1 << 20)
    number = 0
    while left > 0:
        kind = source.random()
        if kind < 0.75:
            size = source.randint(200, 16000)
        elif kind < 0.98:
            size = source.randint(16000, 1 << 20)
        else:
            size = source.randint(4 << 20, 32 << 20)
        size = min(left, size)
        if kind < 0.5:
            offset = source.randrange(0, 1 << 19)
            data = ((base[offset:] + base) * (size // (1 << 20) + 1))[:size]
        elif kind < 0.8:
            data = source.randbytes(size // 2) + b"\0" * (size - size // 2)
        else:
            pieces = (source.randbytes(64) + base[(i * 64) % (1 << 19):(i * 64) % (1 << 19) + 192]
                      for i in range(size // 256 + 1))
            data = b"".join(pieces)[:size]
        write(f"{directory}/d{number % 97:02d}/s{number % 13}/f{number}.bin", data)
        left -= size
        number += 1


def many(directory, count=100000):
    source = random.Random(3)
    base = text(source, 1 << 16)
    for i in range(count):
        offset = source.randrange(0, 60000)
        write(f"{directory}/p{i % 100:02d}/q{(i // 100) % 100:02d}/f{i}.js",
              base[offset:offset + source.randint(50, 4000)])


def tree(directory, count=500000):
    for i in range(count):
        if i % 500 == 0:
            os.makedirs(f"{directory}/d{i // 500 % 1000:03d}/e{i // 500000:03d}", exist_ok=True)
        os.close(os.open(f"{directory}/d{i // 500 % 1000:03d}/e{i // 500000:03d}/f{i}", os.O_CREAT | os.O_WRONLY))


if __name__ == "__main__":
    KINDS = {"big": big, "many": many, "tree": tree}
    if len(sys.argv) not in (3, 4) or sys.argv[1] not in KINDS:
        sys.exit(__doc__)
    KINDS[sys.argv[1]](sys.argv[2], *map(int, sys.argv[3:]))
