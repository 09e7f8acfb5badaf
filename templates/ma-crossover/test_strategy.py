import unittest

from strategy import MovingAverageCrossover, example_closes


def signals(closes, **options):
    strategy = MovingAverageCrossover(**options)
    return [(day, signal) for day, close in enumerate(closes) if (signal := strategy.on_close(close))]


class MovingAverageCrossoverTest(unittest.TestCase):
    def test_nothing_is_done_before_the_slow_average_is_full(self):
        self.assertEqual(signals([1, 2, 3], fast=2, slow=4), [])

    def test_a_rise_is_bought_and_a_fall_is_sold(self):
        closes = [10, 10, 10, 10, 12, 14, 9, 5]
        self.assertEqual(signals(closes, fast=2, slow=4), [(4, "buy"), (7, "sell")])

    def test_one_signal_for_one_crossing(self):
        self.assertEqual(signals(range(1, 50), fast=2, slow=4), [(3, "buy")])

    def test_flat_prices_give_no_signal(self):
        self.assertEqual(signals([5] * 100), [])

    def test_buys_and_sells_take_turns(self):
        kinds = [signal for _, signal in signals(example_closes())]
        self.assertGreater(len(kinds), 2)
        self.assertTrue(all(a != b for a, b in zip(kinds, kinds[1:])))

    def test_lengths_that_make_no_sense_are_refused(self):
        for fast, slow in ((0, 5), (5, 5), (6, 5)):
            with self.assertRaises(ValueError):
                MovingAverageCrossover(fast, slow)


if __name__ == "__main__":
    unittest.main()
