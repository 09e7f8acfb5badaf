"""A cross-sectional momentum strategy, backtested on a synthetic market.

Every month it holds, in equal parts, the instruments that rose most over the lookback, and cash instead of one that
fell. The prices come from a seeded generator, so the result is the same on every machine; they are no market's prices.
"""

import random
from dataclasses import dataclass

from tabulate import tabulate

DAYS_PER_MONTH = 21
INITIAL_CAPITAL = 100_000.0
COST_PER_TURNOVER = 0.0005  # of what is bought or sold

# Instrument: (daily drift, daily range of the noise)
MARKET = {
    "C:BTCUSD": (0.0012, 0.045),
    "C:ETHUSD": (0.0010, 0.055),
    "F:EURUSD": (0.0000, 0.008),
    "S:SPY": (0.0004, 0.015),
    "S:GLD": (0.0003, 0.012),
}


@dataclass(frozen=True)
class Result:
    final_value: float
    total_return_pct: float
    max_drawdown_pct: float
    rebalances: int
    trades: int
    last_weights: dict


def synthetic_prices(days, seed=42):
    """Daily closes per instrument, all starting at 100."""
    generator = random.Random(seed)
    prices = {name: [100.0] for name in MARKET}
    for _ in range(days - 1):
        common = generator.uniform(-1.0, 1.0)
        for name, (drift, noise) in MARKET.items():
            move = drift + noise * (0.4 * common + 0.6 * generator.uniform(-1.0, 1.0))
            prices[name].append(prices[name][-1] * (1.0 + move))
    return prices


def momentum(closes, day, lookback):
    """The return over `lookback` days, without the last month: it tends to revert."""
    return closes[day - DAYS_PER_MONTH] / closes[day - lookback] - 1.0


def target_weights(prices, day, lookback=126, top=2):
    scores = {name: momentum(closes, day, lookback) for name, closes in prices.items()}
    best = sorted(scores, key=lambda name: (-scores[name], name))[:top]
    return {name: 1.0 / top for name in best if scores[name] > 0.0}


def backtest(prices, lookback=126, top=2):
    days = len(next(iter(prices.values())))
    value = peak = INITIAL_CAPITAL
    weights, drawdown, rebalances, trades = {}, 0.0, 0, 0
    for day in range(lookback, days):
        growth = sum(weight * prices[name][day] / prices[name][day - 1] for name, weight in weights.items())
        value *= growth + 1.0 - sum(weights.values())
        if (day - lookback) % DAYS_PER_MONTH == 0:
            wanted = target_weights(prices, day, lookback, top)
            changes = [abs(wanted.get(name, 0.0) - weights.get(name, 0.0)) for name in prices]
            value -= value * COST_PER_TURNOVER * sum(changes)
            trades += sum(1 for change in changes if change > 1e-9)
            weights, rebalances = wanted, rebalances + 1
        peak = max(peak, value)
        drawdown = max(drawdown, 1.0 - value / peak)
    return Result(
        final_value=value,
        total_return_pct=100.0 * (value / INITIAL_CAPITAL - 1.0),
        max_drawdown_pct=100.0 * drawdown,
        rebalances=rebalances,
        trades=trades,
        last_weights=weights,
    )


def report(result):
    holdings = ", ".join(f"{name} {weight:.0%}" for name, weight in sorted(result.last_weights.items())) or "cash"
    rows = [
        ["Final value", f"{result.final_value:,.2f}"],
        ["Total return", f"{result.total_return_pct:.2f} %"],
        ["Max drawdown", f"{result.max_drawdown_pct:.2f} %"],
        ["Rebalances", result.rebalances],
        ["Trades", result.trades],
        ["Holdings", holdings],
    ]
    return tabulate(rows, headers=["Momentum on synthetic prices", ""], tablefmt="simple", disable_numparse=True)


if __name__ == "__main__":
    print(report(backtest(synthetic_prices(days=756))))
