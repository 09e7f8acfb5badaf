import unittest

from strategy import RelativeStrengthIndex, RsiMomentum, example_closes


class RelativeStrengthIndexTest(unittest.TestCase):
    def test_nothing_before_there_are_enough_changes(self):
        index = RelativeStrengthIndex(period=3)
        self.assertEqual([index.update(close) for close in (1, 2, 3)], [None, None, None])
        self.assertEqual(index.update(4), 100.0)

    def test_rises_alone_give_100_falls_alone_0_and_none_50(self):
        for closes, expected in (((1, 2, 3, 4), 100.0), ((4, 3, 2, 1), 0.0), ((2, 2, 2, 2), 50.0)):
            index = RelativeStrengthIndex(period=3)
            self.assertEqual([index.update(close) for close in closes][-1], expected)

    def test_equal_gains_and_losses_give_50(self):
        index = RelativeStrengthIndex(period=4)
        self.assertEqual([index.update(close) for close in (1, 2, 1, 2, 1)][-1], 50.0)


class RsiMomentumTest(unittest.TestCase):
    def test_strength_is_bought_and_weakness_sold(self):
        strategy = RsiMomentum(period=2)
        closes = (10, 11, 12, 11, 9, 8)
        self.assertEqual([strategy.on_close(close) for close in closes], [None, None, "buy", None, "sell", None])

    def test_flat_prices_give_no_signal(self):
        strategy = RsiMomentum()
        self.assertEqual({strategy.on_close(5) for _ in range(100)}, {None})

    def test_buys_and_sells_take_turns(self):
        strategy = RsiMomentum()
        kinds = [signal for close in example_closes() if (signal := strategy.on_close(close))]
        self.assertGreater(len(kinds), 2)
        self.assertTrue(all(a != b for a, b in zip(kinds, kinds[1:])))

    def test_levels_that_make_no_sense_are_refused(self):
        for buy, sell in ((40, 60), (101, 50), (50, -1)):
            with self.assertRaises(ValueError):
                RsiMomentum(buy_above=buy, sell_below=sell)


if __name__ == "__main__":
    unittest.main()
