"""Moving-average crossover: long while the fast average is above the slow one, flat otherwise.

`MovingAverageCrossover` holds the decisions and knows nothing of where its prices come from; `main` feeds it the closes
that come on standard input, one number a line, or a built-in example series.
"""

import math
import sys
from collections import deque

FAST = 10  # closes
SLOW = 30


class MovingAverageCrossover:
    """Feed it closes with `on_close`; it answers "buy", "sell" or None."""

    def __init__(self, fast=FAST, slow=SLOW):
        if not 0 < fast < slow:
            raise ValueError("the fast average must be shorter than the slow one, and both longer than 0")
        self._fast = deque(maxlen=fast)
        self._slow = deque(maxlen=slow)
        self.long = False

    def on_close(self, close):
        self._fast.append(close)
        self._slow.append(close)
        if len(self._slow) < self._slow.maxlen:
            return None
        above = sum(self._fast) / len(self._fast) > sum(self._slow) / len(self._slow)
        if above == self.long:
            return None
        self.long = above
        return "buy" if above else "sell"


def example_closes(days=250):
    """A slow wave on a gentle rise: the averages cross a few times."""
    return [100 + 0.05 * day + 10 * math.sin(day / 20) for day in range(days)]


def main(lines):
    closes = [float(line) for line in lines if line.strip()] or example_closes()
    strategy = MovingAverageCrossover()
    signals = 0
    for day, close in enumerate(closes):
        signal = strategy.on_close(close)
        if signal:
            signals += 1
            print(f"day {day}: {signal} at {close:.2f}")
    print(f"{signals} signals in {len(closes)} days")


if __name__ == "__main__":
    main([] if sys.stdin.isatty() else sys.stdin)
