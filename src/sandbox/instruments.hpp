#pragma once

#include <span>
#include <string_view>

namespace tektii::sandbox {

struct Instrument {
  std::string_view symbol;
  std::string_view name;
  std::string_view market;
  double price = 0;  // around which the simulation moves
  bool available = true;
};

// What GET /v1/instruments lists.
std::span<const Instrument> instruments();

// nullptr when there is none.
const Instrument* find_instrument(std::string_view symbol);

// The candle sizes that every instrument has, shortest first.
struct Granularity {
  std::string_view name;
  long seconds = 0;
};
std::span<const Granularity> granularities();

}  // namespace tektii::sandbox
