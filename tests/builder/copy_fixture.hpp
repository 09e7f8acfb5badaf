#pragma once

#include "builder/build_fixture.hpp"
#include <tektii/util/compress.hpp>
#include <tektii/util/hash.hpp>

#include <cstdlib>
#include <optional>
#include <string>
#include <vector>

namespace tektii::builder {

// One member of a tar, for archives that ADD unpacks.
struct TarItem {
  std::string name;
  char type = '0';  // '0' file, '1' hard link, '2' symlink, '5' directory
  std::string body = {};
  std::string link = {};
  unsigned mode = 0644;
  unsigned uid = 0;
  unsigned gid = 0;
  long mtime = 1000;
};

inline void put_octal(std::string& header, std::size_t at, int digits, unsigned long value) {
  header.replace(at, static_cast<std::size_t>(digits), fmt::format("{:0{}o}", value, digits));
}

inline std::string make_tar(const std::vector<TarItem>& items) {
  std::string tar;
  for (const auto& item : items) {
    std::string header(512, '\0');
    header.replace(0, item.name.size(), item.name);
    put_octal(header, 100, 7, item.mode);
    put_octal(header, 108, 7, item.uid);
    put_octal(header, 116, 7, item.gid);
    put_octal(header, 124, 11, item.body.size());
    put_octal(header, 136, 11, static_cast<unsigned long>(item.mtime));
    header.replace(148, 8, 8, ' ');
    header[156] = item.type;
    header.replace(157, item.link.size(), item.link);
    header.replace(257, 8, std::string("ustar\0", 6) + "00");
    unsigned sum = 0;
    for (const char c : header) sum += static_cast<unsigned char>(c);
    put_octal(header, 148, 6, sum);
    header[154] = '\0';
    tar += header + item.body;
    tar.append((512 - item.body.size() % 512) % 512, '\0');
  }
  return tar.append(1024, '\0');
}

// Serves what a test puts in, and counts what is asked for.
class FakeRemote : public RemoteSources {
 public:
  RemoteFile fetch_file(const RemoteFileRequest& request, const std::stop_token&) override {
    requests.push_back(request);
    const auto& [text, last_modified] = files.at(request.url);
    const auto path = directory.path() / std::to_string(requests.size());
    write_file_atomic(path, text);
    const auto digest = oci::Digest::of_bytes(text);
    if (request.checksum && *request.checksum != digest) throw Error(ErrorKind::failure, "checksum mismatch");
    return {path, text.size(), digest, last_modified};
  }
  GitTree fetch_git(const dockerfile::GitRef& reference, const std::stop_token&) override {
    references.push_back(reference);
    return {tree, commit, 1600000000};
  }

  TempDir directory;
  std::map<std::string, std::pair<std::string, std::optional<std::int64_t>>> files;
  std::filesystem::path tree;
  std::string commit = std::string(40, 'a');
  std::vector<RemoteFileRequest> requests;
  std::vector<dockerfile::GitRef> references;
};

class CopyTest : public BuildTest {
 protected:
  BuildResult build(const std::string& dockerfile) {
    request_.dockerfile_text = dockerfile;
    auto all = deps();
    all.remote = remote_;
    return build_image(request_, all, {});
  }

  Error build_error(const std::string& dockerfile) {
    try {
      build(dockerfile);
    } catch (const Error& error) {
      return error;
    }
    ADD_FAILURE() << "the build succeeded:\n" << dockerfile;
    return Error(ErrorKind::failure, "");
  }

  // "d 755 0:0", "f 644 1:2", "l -> target" or "-" when there is nothing.
  std::string at(const BuildResult& result, const std::string& path) {
    const auto tree = tree_of(result);
    const auto* node = tree.find(path);
    if (node == nullptr) return "-";
    const auto& metadata = node->metadata;
    if (metadata.type == fs::FileType::symlink) return "l -> " + metadata.link_target;
    const char type = metadata.type == fs::FileType::directory ? 'd' : 'f';
    return fmt::format("{} {:o} {}:{}", type, metadata.mode, metadata.uid, metadata.gid);
  }

  // The bytes of a file of the image, read from the topmost layer that has it; small files with short names only.
  std::string text_of(const BuildResult& result, const std::string& path) {
    const auto& layers = result.image.layers;
    for (auto layer = layers.rbegin(); layer != layers.rend(); ++layer) {
      const auto source = make_decompressor(Compression::gzip, store_.open(layer->blob.digest));
      const auto tar = read_all(*source);
      for (std::size_t at = 0; at + 512 <= tar.size() && tar[at] != '\0';) {
        const auto size = std::strtoul(tar.substr(at + 124, 11).c_str(), nullptr, 8);
        if (path == tar.c_str() + at) return tar.substr(at + 512, size);
        at += 512 + (size + 511) / 512 * 512;
      }
    }
    return "(not there)";
  }

  StepOutcome outcome(const std::string& title) { return progress_.outcomes.at(title); }

  FakeRemote fake_remote_;
  RemoteSources* remote_ = &fake_remote_;
};

// Copying out of a stage unpacks its layers, whose files belong to the ids that the image says.
class CopyFromTest : public CopyTest {
 protected:
  void SetUp() override {
    if (::geteuid() != 0) GTEST_SKIP() << "unpacking layers with their owners needs root";
  }
};

}  // namespace tektii::builder
