#include <tektii/util/error.hpp>
#include <tektii/util/pushed_source.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <string>
#include <thread>

namespace tektii {
namespace {

using namespace std::chrono_literals;

std::string pattern(std::size_t size) {
  std::string text(size, '\0');
  for (std::size_t i = 0; i < size; ++i) text[i] = static_cast<char>((i * 31) >> 3U);
  return text;
}

TEST(PushedSource, GivesWhatIsWrittenHoweverLong) {
  const std::string text = pattern((11U << 20U) + 7);
  const auto source = make_pushed_source(
      [&](ByteSink& sink, const std::stop_token&) {
        for (std::size_t at = 0; at < text.size(); at += 70001) {
          sink.write(as_byte_span(std::string_view(text).substr(at, 70001)));
        }
      },
      {});
  EXPECT_EQ(read_all(*source), text);
  std::byte more{};
  EXPECT_EQ(source->read({&more, 1}), 0U);
}

TEST(PushedSource, AnErrorComesAfterTheBytesAndStays) {
  const auto source = make_pushed_source(
      [](ByteSink& sink, const std::stop_token&) {
        sink.write(as_byte_span("abc"));
        throw Error(ErrorKind::network, "gone");
      },
      {});
  std::byte buffer[8];
  EXPECT_EQ(source->read(buffer), 3U);
  for (int i = 0; i < 2; ++i) {
    try {
      source->read(buffer);
      FAIL() << "no error";
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::network);
    }
  }
}

TEST(PushedSource, LeavingItEarlyStopsTheProducer) {
  std::atomic<bool> stopped{false};
  std::atomic<bool> refused{false};
  {
    const auto source = make_pushed_source(
        [&](ByteSink& sink, const std::stop_token& stop) {
          const std::string text = pattern(1U << 20U);
          try {
            while (true) sink.write(as_byte_span(text));
          } catch (const Error& error) {
            refused = error.kind() == ErrorKind::interrupted;
          }
          stopped = stop.stop_requested();
        },
        {});
    std::byte buffer[8];
    EXPECT_EQ(source->read(buffer), 8U);
  }
  EXPECT_TRUE(stopped);
  EXPECT_TRUE(refused);
}

TEST(PushedSource, AStopOfTheCallerReachesTheProducer) {
  std::stop_source caller;
  const auto source = make_pushed_source(
      [](ByteSink&, const std::stop_token& stop) {
        for (int i = 0; i < 10000 && !stop.stop_requested(); ++i) std::this_thread::sleep_for(1ms);
        throw_if_stopped(stop);
      },
      caller.get_token());
  const std::jthread later([&] {
    std::this_thread::sleep_for(20ms);
    caller.request_stop();
  });
  std::byte buffer[8];
  EXPECT_THROW(source->read(buffer), Error);
}

}  // namespace
}  // namespace tektii
