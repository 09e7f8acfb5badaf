#include "sandbox/instruments.hpp"

#include <array>

namespace tektii::sandbox {
namespace {

constexpr std::array k_instruments = {
    Instrument{"C:BTCUSD", "Bitcoin / US Dollar", "crypto", 42000, true},
    Instrument{"C:ETHUSD", "Ether / US Dollar", "crypto", 2300, true},
    Instrument{"C:SOLUSD", "Solana / US Dollar", "crypto", 95, true},
    Instrument{"C:ADAUSD", "Cardano / US Dollar", "crypto", 0.55, true},
    Instrument{"C:LUNAUSD", "Terra / US Dollar", "crypto", 0.8, false},
    Instrument{"F:EURUSD", "Euro / US Dollar", "forex", 1.09, true},
    Instrument{"F:GBPUSD", "Pound Sterling / US Dollar", "forex", 1.27, true},
    Instrument{"F:USDJPY", "US Dollar / Yen", "forex", 148, true},
    Instrument{"S:AAPL", "Apple Inc.", "stocks", 185, true},
    Instrument{"S:MSFT", "Microsoft Corporation", "stocks", 390, true},
    Instrument{"S:SPY", "SPDR S&P 500 ETF", "stocks", 475, true},
};

constexpr std::array k_granularities = {
    Granularity{"1m", 60},       Granularity{"2m", 120},    Granularity{"5m", 300},   Granularity{"10m", 600},
    Granularity{"15m", 900},     Granularity{"30m", 1800},  Granularity{"1h", 3600},  Granularity{"2h", 7200},
    Granularity{"4h", 4 * 3600}, Granularity{"12h", 43200}, Granularity{"1d", 86400}, Granularity{"1w", 604800},
};

}  // namespace

std::span<const Instrument> instruments() {
  return k_instruments;
}

const Instrument* find_instrument(std::string_view symbol) {
  for (const Instrument& instrument : k_instruments) {
    if (instrument.symbol == symbol) return &instrument;
  }
  return nullptr;
}

std::span<const Granularity> granularities() {
  return k_granularities;
}

}  // namespace tektii::sandbox
