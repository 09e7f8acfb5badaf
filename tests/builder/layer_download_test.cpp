// Layers of bases on their way: each is downloaded once, straight into its index or its directory, and into the store.
#include "builder/build_fixture.hpp"
#include <tektii/util/hash.hpp>

#include <gmock/gmock.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <thread>

namespace tektii::builder {
namespace {

using namespace std::chrono_literals;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;

// Counts how often blobs are read.
class CountingBlobs : public store::BlobStore {
 public:
  explicit CountingBlobs(store::BlobStore& blobs) : blobs_(blobs) {}
  std::optional<std::uint64_t> size_of(const oci::Digest& digest) override { return blobs_.size_of(digest); }
  std::unique_ptr<ByteSource> open(const oci::Digest& digest) override {
    ++opened;
    return blobs_.open(digest);
  }
  std::unique_ptr<store::BlobWriter> create() override { return blobs_.create(); }
  void discard(const oci::Digest& digest) override { blobs_.discard(digest); }

  std::atomic<int> opened{0};

 private:
  store::BlobStore& blobs_;
};

using Files = std::vector<std::pair<std::string, std::string>>;

// An image whose layers are in a store of its own and have to be fetched.
class RemoteTest : public BuildTest {
 protected:
  using Send = std::function<void(const oci::Descriptor&, ByteSink&, const std::stop_token&)>;

  RemoteTest() : remote_(directory_.path() / "remote"), blobs_(store_) {
    send_ = [this](const oci::Descriptor& blob, ByteSink& sink, const std::stop_token& stop) {
      copy_stream(*remote_.open(blob.digest), sink, stop);
    };
  }

  void make_image(const std::vector<Files>& layers) {
    for (const auto& files : layers) {
      layer::LayerWriter writer(remote_, {});
      for (const auto& [path, content] : files) {
        fs::FileMetadata metadata;
        metadata.mode = 0644;
        metadata.mtime = request_.source_date_epoch;
        metadata.size = content.size();
        writer.add(path, metadata, [content = content] { return std::make_unique<StringSource>(content); });
      }
      layers_.push_back(writer.commit().layer);
    }
  }

  BuildResult build(const std::string& dockerfile, const std::stop_token& stop = {}) {
    request_.dockerfile_text = dockerfile;
    return build_image(request_, remote_deps(), stop);
  }

  Error build_error(const std::string& dockerfile, const std::stop_token& stop = {}) {
    try {
      build(dockerfile, stop);
    } catch (const Error& error) {
      return error;
    }
    ADD_FAILURE() << "the build succeeded:\n" << dockerfile;
    return Error(ErrorKind::failure, "");
  }

  bool is_unpacked(std::size_t layer) const { return snapshots_.has_directory(layers_.at(layer).diff_id); }
  bool is_indexed(std::size_t layer) const { return snapshots_.has_index(layers_.at(layer).diff_id); }
  bool is_stored(std::size_t layer) { return store_.size_of(layers_.at(layer).blob.digest).has_value(); }

  store::Store remote_;
  CountingBlobs blobs_;
  std::vector<oci::Layer> layers_;
  Send send_;
  std::atomic<int> fetched_{0};

 private:
  class Remote : public oci::ImageSource {
   public:
    explicit Remote(RemoteTest& test) : test_(test) {}
    oci::ResolvedImage resolve(const oci::Platform& platform, std::stop_token) override {
      oci::ImageConfig config;
      for (const auto& layer : test_.layers_) config.diff_ids.push_back(layer.diff_id);
      const auto sealed = oci::seal_image(config, test_.layers_, {});
      return oci::make_resolved_image("remote", sealed.manifest, sealed.manifest_bytes, sealed.config_bytes, platform,
                                      std::nullopt);
    }
    void fetch(const oci::Descriptor& blob, ByteSink& sink, std::stop_token stop) override {
      ++test_.fetched_;
      HashingSink hashed(sink);
      test_.send_(blob, hashed, stop);
      if (hashed.finish_hex() != blob.digest.hex()) throw Error(ErrorKind::failure, "digest mismatch");
    }

   private:
    RemoteTest& test_;
  };

  BuildDeps remote_deps() {
    const auto open = [this](const std::string&) -> std::unique_ptr<oci::ImageSource> {
      return std::make_unique<Remote>(*this);
    };
    return {blobs_, store_, snapshots_, executor_, open, progress_, nullptr, store_.root() / "mounts" / "v1"};
  }
};

class RemoteRunTest : public RemoteTest {
 protected:
  void SetUp() override {
    if (::geteuid() != 0) GTEST_SKIP() << "unpacking layers with their owners needs root";
  }
};

TEST_F(RemoteTest, CopyIntoABaseIndexesItOnTheWayToTheStore) {
  make_image({{{"etc/a", "1"}}, {{"etc/b", "2"}}});
  write("f", "x");
  build("FROM remote\nCOPY f /etc/f\n");
  EXPECT_EQ(fetched_, 2);
  EXPECT_EQ(blobs_.opened, 0);
  for (std::size_t i = 0; i < 2; ++i) {
    EXPECT_TRUE(is_stored(i));
    EXPECT_TRUE(is_indexed(i));
    EXPECT_FALSE(is_unpacked(i));
  }
}

TEST_F(RemoteTest, CopyFromUnpacksNothing) {
  const std::string big(5U << 20U, 'g');
  make_image({{{"d/z", "last"}, {"d/a", "first"}, {"d/big", big}, {"other/x", "no"}}, {{"d/m", "middle"}}});
  const auto result = build(
      "FROM remote AS stage\nWORKDIR /made\nFROM scratch\nCOPY --from=stage /d /made /all/\nCOPY --from=remote /d/z "
      "/z\n");
  EXPECT_EQ(fetched_, 2);
  const auto tree = tree_of(result);
  for (const char* path : {"all/z", "all/a", "all/big", "all/m", "z"}) EXPECT_NE(tree.find(path), nullptr) << path;
  for (std::size_t i = 0; i < 2; ++i) EXPECT_FALSE(is_unpacked(i));
  for (const auto& layer : result.image.layers) EXPECT_FALSE(snapshots_.has_directory(layer.diff_id));
  // Once for all files of the first COPY, though their order in the layer is another, and once for the second.
  EXPECT_EQ(blobs_.opened, 3);
}

TEST_F(RemoteTest, CopyFromGivesTheLayerOfACopyOfTheSameFiles) {
  make_image({{{"d/z", "last"}, {"d/a", "first"}}, {{"d/m", std::string(300000, 'm')}}});
  write("d/z", "last");
  write("d/a", "first");
  write("d/m", std::string(300000, 'm'));
  const auto from = build("FROM scratch\nCOPY --from=remote /d /to\n");
  EXPECT_EQ(from.image.layers[0].diff_id, build("FROM scratch\nCOPY d /to\n").image.layers[0].diff_id);
}

TEST_F(RemoteTest, AccountsThroughLinksAreReadWithoutUnpacking) {
  layer::LayerWriter writer(remote_, {});
  fs::FileMetadata link;
  link.type = fs::FileType::symlink;
  link.link_target = "../usr/lib/passwd";
  fs::FileMetadata file;
  file.mode = 0644;
  const std::string passwd = "app:x:42:43::/:\n";
  file.size = passwd.size();
  writer.add("etc/passwd", link, {});
  writer.add("usr/lib/passwd", file, [&] { return std::make_unique<StringSource>(passwd); });
  layers_.push_back(writer.commit().layer);
  write("f", "x");
  const auto tree = tree_of(build("FROM remote\nCOPY --chown=app f /f\n"));
  EXPECT_EQ(tree.find("f")->metadata.uid, 42U);
  EXPECT_EQ(tree.find("f")->metadata.gid, 43U);
  EXPECT_FALSE(is_unpacked(0));
}

TEST_F(RemoteRunTest, RunUnpacksTheDownload) {
  make_image({{{"a", "1"}}, {{"b", "2"}}, {{"c", "3"}}});
  executor_.command = [](const exec::Rootfs& rootfs, const auto&, auto&) {
    EXPECT_EQ(rootfs.lower_dirs.size(), 3U);
    EXPECT_EQ(read_file(rootfs.lower_dirs.at(0) / "c"), "3");
    return exec::ExitStatus{};
  };
  build("FROM remote\nRUN x\n");
  EXPECT_EQ(fetched_, 3);
  EXPECT_EQ(blobs_.opened, 0);
  for (std::size_t i = 0; i < 3; ++i) EXPECT_TRUE(is_stored(i) && is_indexed(i) && is_unpacked(i));
}

TEST_F(RemoteRunTest, CopyBeforeARunUnpacksTheDownloadAtOnce) {
  make_image({{{"a", "1"}}});
  write("f", "x");
  build("FROM remote\nCOPY f /f\nRUN x\n");
  EXPECT_EQ(fetched_, 1);
  EXPECT_EQ(blobs_.opened, 1);  // the layer of the COPY
  EXPECT_TRUE(is_unpacked(0));
}

TEST_F(RemoteRunTest, SeveralLayersComeAtOnce) {
  make_image({{{"a", "1"}}, {{"b", "2"}}, {{"c", "3"}}, {{"d", "4"}}, {{"e", "5"}}, {{"f", "6"}}});
  std::mutex mutex;
  std::condition_variable changed;
  int inside = 0;
  int most = 0;
  const auto plain = send_;
  send_ = [&](const oci::Descriptor& blob, ByteSink& sink, const std::stop_token& stop) {
    {
      std::unique_lock lock(mutex);
      most = std::max(most, ++inside);
      changed.notify_all();
      changed.wait_for(lock, 10s, [&] { return most >= 4; });
    }
    plain(blob, sink, stop);
    const std::lock_guard lock(mutex);
    --inside;
  };
  build("FROM remote\nRUN x\n");
  EXPECT_EQ(most, 4);
  EXPECT_EQ(fetched_, 6);
  int steps = 0;
  for (const auto& [title, outcome] : progress_.outcomes) {
    if (title.find("fetch layer") == std::string::npos) continue;
    ++steps;
    EXPECT_EQ(outcome, StepOutcome::done) << title;
  }
  EXPECT_EQ(steps, 6);
}

TEST_F(RemoteRunTest, StagesSideBySideShareTheDownloads) {
  make_image({{{"a", std::string(3U << 20U, 'a')}}, {{"b", "2"}}});
  request_.jobs = 4;
  build(
      "FROM remote AS one\nRUN x\nFROM remote AS two\nRUN y\nFROM remote AS three\nWORKDIR /w\nFROM scratch\n"
      "COPY --from=one /a /1\nCOPY --from=two /a /2\nCOPY --from=three /a /3\n");
  EXPECT_EQ(fetched_, 2);
}

TEST_F(RemoteRunTest, ADamagedDownloadLeavesNothing) {
  make_image({{{"a", std::string(2U << 20U, 'a')}}});
  const auto plain = send_;
  for (const std::size_t at : {std::size_t{0}, std::size_t{100}, std::size_t{layers_[0].blob.size - 3}}) {
    send_ = [&](const oci::Descriptor& blob, ByteSink& sink, const std::stop_token&) {
      auto bytes = read_all(*remote_.open(blob.digest));
      bytes[at] = static_cast<char>(bytes[at] ^ 0x10);
      sink.write(as_byte_span(bytes));
    };
    for (const char* file : {"FROM remote\nRUN x\n", "FROM remote\nWORKDIR /w\n"}) {
      EXPECT_THAT(build_error(file).what(), HasSubstr("digest mismatch")) << at;
      EXPECT_FALSE(is_stored(0) || is_indexed(0) || is_unpacked(0)) << at;
      EXPECT_TRUE(std::filesystem::is_empty(store_.root() / "layers" / "v1" / "tmp"));
    }
  }
  EXPECT_EQ(fetched_, 12);  // wrong bytes are fetched once more, and no more than that
  send_ = plain;
  build("FROM remote\nRUN x\n");
  EXPECT_TRUE(is_stored(0) && is_indexed(0) && is_unpacked(0));
}

TEST_F(RemoteRunTest, ALayerWithAnotherDiffIdIsNeitherIndexedNorUnpacked) {
  make_image({{{"a", "1"}}});
  layers_[0].diff_id = oci::Digest::of_bytes("something else");
  EXPECT_THAT(build_error("FROM remote\nRUN x\n").what(), HasSubstr("does not match its diff_id"));
  EXPECT_THAT(build_error("FROM remote\nWORKDIR /w\n").what(), HasSubstr("does not match its diff_id"));
  EXPECT_FALSE(is_indexed(0) || is_unpacked(0));
  EXPECT_EQ(fetched_, 1);
}

TEST_F(RemoteRunTest, AStopEndsEveryDownload) {
  make_image({{{"a", "1"}}, {{"b", "2"}}, {{"c", "3"}}});
  std::stop_source caller;
  std::atomic<int> waiting{0};
  send_ = [&](const oci::Descriptor&, ByteSink&, const std::stop_token& stop) {
    if (++waiting == 3) caller.request_stop();
    for (int i = 0; i < 10000 && !stop.stop_requested(); ++i) std::this_thread::sleep_for(1ms);
    throw_if_stopped(stop);
  };
  EXPECT_EQ(build_error("FROM remote\nRUN x\n", caller.get_token()).kind(), ErrorKind::interrupted);
  EXPECT_EQ(waiting, 3);
  for (const auto& [title, outcome] : progress_.outcomes) {
    if (title.find("fetch layer") == std::string::npos) continue;
    EXPECT_EQ(outcome, StepOutcome::canceled) << title;
  }
}

TEST_F(RemoteRunTest, TheFirstFailureEndsTheOtherDownloads) {
  make_image({{{"a", "1"}}, {{"b", "2"}}, {{"c", "3"}}});
  std::atomic<int> waiting{0};
  send_ = [&](const oci::Descriptor& blob, ByteSink&, const std::stop_token& stop) {
    ++waiting;
    if (blob.digest == layers_[1].blob.digest) {
      while (waiting < 3) std::this_thread::sleep_for(1ms);
      throw Error(ErrorKind::network, "the line was cut");
    }
    for (int i = 0; i < 10000 && !stop.stop_requested(); ++i) std::this_thread::sleep_for(1ms);
    throw_if_stopped(stop);
  };
  const auto error = build_error("FROM remote\nRUN x\n");
  EXPECT_EQ(error.kind(), ErrorKind::network);
  EXPECT_THAT(error.what(), HasSubstr("the line was cut"));
}

TEST_F(RemoteTest, TooManyLayersForARunAreFoundBeforeAnyStep) {
  std::vector<Files> layers;
  for (int i = 0; i < 499; ++i) layers.push_back({{"f" + std::to_string(i), "x"}});
  make_image(layers);
  write("f", "x");
  EXPECT_NO_THROW(build("FROM remote\nLABEL a=b\n"));
  const auto error = build_error("FROM remote AS a\nCOPY f /\nFROM a\nLABEL x=y\nRUN x\n");
  EXPECT_THAT(error.what(), HasSubstr("RUN is not possible on 499 layers: overlayfs stacks at most 498"));
  EXPECT_EQ(error.span()->first_line, 5);
  EXPECT_EQ(fetched_, 0);
}

// Deferred unpacking: what is cached stays packed, and a miss unpacks what it stands on and nothing else.
TEST_F(RemoteRunTest, OnlyAMissUnpacksAndOnlyWhatItNeeds) {
  make_image({{{"a", "1"}}});
  executor_.command = [](const exec::Rootfs& rootfs, const exec::RunSpec& spec, auto&) {
    write_file_atomic(rootfs.upper_dir / spec.argv.back(), "made");
    return exec::ExitStatus{};
  };
  const std::string tools = "FROM remote AS tools\nRUN tool\nFROM scratch AS data\nRUN data\nFROM remote\n";
  const std::string app = tools + "COPY --from=tools /tool /tool\nCOPY --from=data /data /data\nRUN one\n";
  const auto first = build(app);
  const auto forget_directories = [&] {
    for (const auto& entry : std::filesystem::directory_iterator(store_.root() / "layers" / "v1")) {
      if (entry.is_directory() && entry.path().filename().string().size() == 64) remove_tree(entry.path());
    }
  };
  const auto unpacked = [&] {
    return std::count_if(std::filesystem::directory_iterator(store_.root() / "layers" / "v1"), {},
                         [](const auto& entry) { return entry.path().filename().string().size() == 64; });
  };
  forget_directories();
  executor_.specs.clear();
  EXPECT_EQ(build(app).image.manifest.digest, first.image.manifest.digest);
  EXPECT_TRUE(executor_.specs.empty());
  EXPECT_EQ(unpacked(), 0);

  const auto second = build(app + "RUN two\n");
  EXPECT_EQ(executor_.specs.size(), 1U);
  for (const auto& layer : second.image.layers) EXPECT_TRUE(snapshots_.has_directory(layer.diff_id));
  // The base, two COPYs, RUN one and what RUN two made; neither the tool's nor the data's stage.
  EXPECT_EQ(unpacked(), 5);

  forget_directories();
  build(app + "RUN two\nCOPY --from=tools /tool /again\n");
  EXPECT_EQ(unpacked(), 0);
}

}  // namespace
}  // namespace tektii::builder
