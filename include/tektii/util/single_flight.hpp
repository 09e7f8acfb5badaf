#pragma once

#include <tektii/util/error.hpp>

#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>

namespace tektii {

// Work of which at most one per key is under way. Callers that come meanwhile wait and share the outcome, a failure
// included. Nothing is remembered afterwards. Thread-safe.
template <typename Value>
class SingleFlight {
 public:
  Value run(const std::string& key, const std::stop_token& stop, const std::function<Value()>& work) {
    while (true) {
      std::shared_ptr<Flight> flight;
      bool leads = false;
      {
        const std::lock_guard lock(mutex_);
        auto& slot = flights_[key];
        leads = slot == nullptr;
        if (leads) slot = std::make_shared<Flight>();
        flight = slot;
      }
      if (leads) return lead(key, *flight, work);
      std::unique_lock lock(mutex_);
      landed_.wait(lock, stop, [&] { return flight->value || flight->error; });
      throw_if_stopped(stop);
      if (flight->value) return *flight->value;
      // Whoever led was told to stop; that is no answer for us.
      if (flight->error->kind() != ErrorKind::interrupted) throw Error(*flight->error);
    }
  }

 private:
  struct Flight {
    std::optional<Value> value;
    std::optional<Error> error;  // a copy: the thread that threw it goes on to change the original
  };

  Value lead(const std::string& key, Flight& flight, const std::function<Value()>& work) {
    try {
      Value value = work();
      land(key, [&] { flight.value = value; });
      return value;
    } catch (const Error& error) {
      land(key, [&] { flight.error = error; });
      throw;
    } catch (const std::exception& error) {
      land(key, [&] { flight.error = Error(ErrorKind::failure, error.what()); });
      throw;
    }
  }

  void land(const std::string& key, const std::function<void()>& set_outcome) {
    const std::lock_guard lock(mutex_);
    set_outcome();
    flights_.erase(key);
    landed_.notify_all();
  }

  std::mutex mutex_;
  std::condition_variable_any landed_;
  std::map<std::string, std::shared_ptr<Flight>> flights_;
};

}  // namespace tektii
