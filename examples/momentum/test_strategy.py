import unittest

import strategy


class MomentumTest(unittest.TestCase):
    def test_prices_are_the_same_for_the_same_seed(self):
        self.assertEqual(strategy.synthetic_prices(50), strategy.synthetic_prices(50))
        self.assertNotEqual(strategy.synthetic_prices(50, seed=1), strategy.synthetic_prices(50, seed=2))

    def test_the_best_instruments_are_held_in_equal_parts(self):
        prices = {name: [100.0 + slope * day for day in range(200)] for name, slope in (("a", 1), ("b", 2), ("c", 3))}
        self.assertEqual(strategy.target_weights(prices, day=150), {"c": 0.5, "b": 0.5})

    def test_an_instrument_that_falls_is_cash_instead(self):
        prices = {"up": [100.0 + day for day in range(200)], "down": [400.0 - day for day in range(200)]}
        self.assertEqual(strategy.target_weights(prices, day=150), {"up": 0.5})

    def test_the_last_month_does_not_count(self):
        closes = [100.0] * 130 + [200.0] * 20
        self.assertEqual(strategy.momentum(closes, day=149, lookback=126), 0.0)

    def test_flat_prices_cost_nothing_and_earn_nothing(self):
        result = strategy.backtest({"flat": [100.0] * 300})
        self.assertEqual((result.final_value, result.trades), (strategy.INITIAL_CAPITAL, 0))

    def test_every_gain_of_the_held_instrument_is_earned(self):
        # Bought at the close of day 126 and held over two rebalances, which change nothing.
        closes = [100.0 * 1.01**day for day in range(126 + 2 * strategy.DAYS_PER_MONTH + 1)]
        result = strategy.backtest({"up": closes}, top=1)
        self.assertEqual((result.rebalances, result.trades), (3, 1))
        expected = strategy.INITIAL_CAPITAL * (1 - strategy.COST_PER_TURNOVER) * 1.01 ** (2 * strategy.DAYS_PER_MONTH)
        self.assertAlmostEqual(result.final_value, expected, places=2)

    def test_the_report_holds_the_result(self):
        text = strategy.report(strategy.backtest(strategy.synthetic_prices(days=300)))
        self.assertIn("Total return", text)
        self.assertIn("Momentum on synthetic prices", text)


if __name__ == "__main__":
    unittest.main()
