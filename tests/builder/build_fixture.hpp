#pragma once

#include "builder/fake_images.hpp"
#include <tektii/builder/build.hpp>
#include <tektii/layer/file_tree.hpp>
#include <tektii/store/store.hpp>
#include <tektii/util/error.hpp>
#include <tektii/util/file.hpp>

#include <gtest/gtest.h>

#include <unistd.h>

#include <fstream>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <vector>

namespace tektii::builder {

// Stands in for a command: writes into the upper directory what the command would have changed.
class FakeExecutor : public exec::Executor {
 public:
  using Command = std::function<exec::ExitStatus(const exec::Rootfs&, const exec::RunSpec&, exec::OutputSink&)>;

  std::string_view name() const override { return "fake"; }
  std::optional<exec::Unavailable> unavailable_reason(const exec::RunSpec&) override { return unavailable; }
  exec::ExitStatus run(const exec::Rootfs& rootfs, const exec::RunSpec& spec, exec::OutputSink& output,
                       std::stop_token stop) override {
    {
      const std::lock_guard lock(mutex_);
      specs.push_back(spec);
    }
    if (interruptible) return interruptible(spec, stop);
    return command ? command(rootfs, spec, output) : exec::ExitStatus{};
  }

  std::optional<exec::Unavailable> unavailable;
  Command command;
  std::function<exec::ExitStatus(const exec::RunSpec&, const std::stop_token&)> interruptible;  // instead of command
  std::vector<exec::RunSpec> specs;  // in the order in which they began

 private:
  std::mutex mutex_;
};

class RecordingProgress : public ProgressSink {
 public:
  int step_started(std::string_view title) override {
    const std::lock_guard lock(mutex_);
    titles.emplace_back(title);
    return static_cast<int>(titles.size());
  }
  void step_output(int, std::string_view) override {}
  void step_progress(int id, const StepProgress& progress) override {
    if (on_activity) on_activity(progress.activity);
    const std::lock_guard lock(mutex_);
    bytes[{titles[static_cast<std::size_t>(id - 1)], progress.activity}] = progress.done;
  }
  void step_finished(int id, StepOutcome outcome, std::chrono::milliseconds) override {
    const std::lock_guard lock(mutex_);
    outcomes[titles[static_cast<std::size_t>(id - 1)]] = outcome;
  }

  std::vector<std::string> titles;
  std::map<std::string, StepOutcome> outcomes;
  std::map<std::pair<std::string, Activity>, std::uint64_t> bytes;  // the last that was told
  std::function<void(Activity)> on_activity;                        // may change what the build works on

 private:
  std::mutex mutex_;
};

// Builds Dockerfiles against a real store in a temporary directory; commands are faked, images are those of the test.
class BuildTest : public ::testing::Test {
 protected:
  BuildTest() : store_(directory_.path() / "store"), snapshots_(store_.root() / "layers" / "v1", store_) {
    request_.context = directory_.path() / "context";
    request_.source_date_epoch = 1700000000;
    request_.created = 1700000000;
    make_directories(request_.context);
  }

  void write(const std::string& path, const std::string& content, unsigned mode = 0644) {
    const auto full = request_.context / path;
    make_directories(full.parent_path());
    write_file_atomic(full, content, mode);
  }

  BuildDeps deps() {
    return {store_,
            store_,
            snapshots_,
            executor_,
            [this](const std::string& name) -> std::unique_ptr<oci::ImageSource> {
              const std::lock_guard lock(opened_mutex_);
              opened_.push_back(name);
              return images_.open(name);
            },
            progress_,
            nullptr,
            store_.root() / "mounts" / "v1"};
  }

  BuildResult build(const std::string& dockerfile) {
    request_.dockerfile_text = dockerfile;
    return build_image(request_, deps(), {});
  }

  // The error that a build ends with.
  Error build_error(const std::string& dockerfile) {
    try {
      build(dockerfile);
    } catch (const Error& error) {
      return error;
    }
    ADD_FAILURE() << "the build succeeded:\n" << dockerfile;
    return Error(ErrorKind::failure, "");
  }

  static std::vector<std::string> history_of(const BuildResult& result) {
    std::vector<std::string> texts;
    for (const auto& entry : result.config.history) {
      texts.push_back(entry.created_by.value_or("") + (entry.empty_layer ? " | empty" : ""));
    }
    return texts;
  }

  // The merged file system of an image.
  layer::FileTree tree_of(const BuildResult& result) {
    layer::FileTree tree;
    for (const auto& layer : result.image.layers) tree.apply(snapshots_.index(layer, {}), layer.diff_id);
    return tree;
  }

  TempDir directory_;
  BuildRequest request_;
  store::Store store_;
  layer::Snapshots snapshots_;
  FakeExecutor executor_;
  RecordingProgress progress_;
  FakeImages images_;
  std::vector<std::string> opened_;  // names of the images that were looked up

 private:
  std::mutex opened_mutex_;
};

// Commands need unpacked layers, whose files belong to the ids that the image says.
class RunTest : public BuildTest {
 protected:
  void SetUp() override {
    if (::geteuid() != 0) GTEST_SKIP() << "unpacking layers with their owners needs root";
  }
};

}  // namespace tektii::builder
