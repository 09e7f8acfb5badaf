"""RSI momentum: buys when the relative strength index rises above its upper level, sells when it falls below the lower.

`RsiMomentum` holds the decisions and knows nothing of where its prices come from; `main` feeds it the closes that come on
standard input, one number a line, or a built-in example series.
"""

import math
import sys

PERIOD = 14  # closes
BUY_ABOVE = 55.0
SELL_BELOW = 45.0


class RelativeStrengthIndex:
    """Wilder's index, from 0 to 100; None until `period` changes have been seen."""

    def __init__(self, period=PERIOD):
        if period < 1:
            raise ValueError("the period must be at least 1")
        self._period = period
        self._seen = 0
        self._gain = 0.0
        self._loss = 0.0
        self._last = None

    def update(self, close):
        if self._last is None:
            self._last = close
            return None
        change = close - self._last
        self._last = close
        self._seen += 1
        # A plain mean until there are enough changes, Wilder's smoothing from then on.
        weight = 1 / min(self._seen, self._period)
        self._gain += weight * (max(change, 0.0) - self._gain)
        self._loss += weight * (max(-change, 0.0) - self._loss)
        if self._seen < self._period:
            return None
        total = self._gain + self._loss
        return 50.0 if total == 0 else 100 * self._gain / total


class RsiMomentum:
    """Feed it closes with `on_close`; it answers "buy", "sell" or None."""

    def __init__(self, period=PERIOD, buy_above=BUY_ABOVE, sell_below=SELL_BELOW):
        if not 0 <= sell_below <= buy_above <= 100:
            raise ValueError("levels go from 0 to 100, and the one to sell at is not above the one to buy at")
        self._index = RelativeStrengthIndex(period)
        self._buy_above = buy_above
        self._sell_below = sell_below
        self.long = False

    def on_close(self, close):
        index = self._index.update(close)
        if index is None:
            return None
        if not self.long and index > self._buy_above:
            self.long = True
            return "buy"
        if self.long and index < self._sell_below:
            self.long = False
            return "sell"
        return None


def example_closes(days=250):
    """Two waves on a gentle rise."""
    return [100 + 0.05 * day + 8 * math.sin(day / 15) + 2 * math.sin(day / 3) for day in range(days)]


def main(lines):
    closes = [float(line) for line in lines if line.strip()] or example_closes()
    strategy = RsiMomentum()
    signals = 0
    for day, close in enumerate(closes):
        signal = strategy.on_close(close)
        if signal:
            signals += 1
            print(f"day {day}: {signal} at {close:.2f}")
    print(f"{signals} signals in {len(closes)} days")


if __name__ == "__main__":
    main([] if sys.stdin.isatty() else sys.stdin)
