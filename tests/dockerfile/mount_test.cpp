#include <tektii/dockerfile/mount.hpp>
#include <tektii/util/error.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tektii::dockerfile {
namespace {

using ::testing::ElementsAre;
using ::testing::Pair;

TEST(Mount, KeepsOptionsInOrder) {
  const MountFlag mount = parse_mount("TYPE=Cache,Target=/root/.cache,sharing=LOCKED,ro");
  EXPECT_EQ(mount.type, "cache");
  EXPECT_THAT(mount.options, ElementsAre(Pair("target", "/root/.cache"), Pair("sharing", "LOCKED"), Pair("ro", "")));
}

TEST(Mount, IsABindByDefault) {
  const MountFlag mount = parse_mount("source=.,target=/src,rw=true,from=build");
  EXPECT_EQ(mount.type, "bind");
  EXPECT_EQ(mount.options.size(), 4U);
}

TEST(Mount, ReadsCsvQuotes) {
  const MountFlag mount = parse_mount(R"("source=a,b",target=/x,"id=say ""hi""")");
  EXPECT_THAT(mount.options, ElementsAre(Pair("source", "a,b"), Pair("target", "/x"), Pair("id", "say \"hi\"")));
}

struct Row {
  std::string csv;
  std::string message;
};

TEST(Mount, RefusesWhatBuildKitRefuses) {
  const std::vector<Row> rows = {
      {"type=bnd,target=/x", "unsupported mount type \"bnd\" (did you mean bind?)"},
      {"type=volume,target=/x", "unsupported mount type \"volume\""},
      {"target=/x,targt=/y", "unexpected key 'targt' in 'targt=/y' (did you mean target?)"},
      {"target", "invalid field 'target' must be a key=value pair"},
      {"", "invalid field '' must be a key=value pair"},
      {"target=/x,ro=maybe", "invalid value for ro: maybe"},
      {"type=cache,target=/x,sharing=lokced", "unsupported sharing value \"lokced\" (did you mean locked?)"},
      {"type=cache,target=/x,mode=99", "invalid value 99 for mode"},
      {"type=cache,target=/x,uid=root", "invalid value root for uid"},
      {"type=cache,target=/x,gid=-1", "invalid value -1 for gid"},
      {"type=bind,target=/x,mode=0644", "mode not allowed for \"bind\" type mounts"},
      {"type=tmpfs,target=/x,uid=1", "uid not allowed for \"tmpfs\" type mounts"},
      {"type=bind,target=/x,required", "unexpected key 'required' for mount type 'bind'"},
      {"type=cache,target=/x,size=1m", "unexpected key 'size' for mount type 'cache'"},
      {"type=tmpfs,target=/x,size=big", "invalid value for size: big"},
      {"type=cache,target=/x,env=A", "unexpected key 'env' for mount type 'cache'"},
      {"type=bind,target=/x,sharing=shared", "invalid cache sharing set for bind mount"},
      {"type=secret,id=a,from=build", "secret mount should not have a from"},
      {"type=secret,id=a,sharing=shared", "secret mount should not define sharing"},
      {"type=secret", "invalid secret mount. one of source, target required"},
      {"type=secret,id=a,source=b", "both source and id can't be set"},
      {"target=/x,from=$BASE", "'from' doesn't support variable expansion, define alias stage instead"},
      {"target=/", "invalid mount target \"/\""},
      {"target=/a/..", "invalid mount target \"/a/..\""},
      {"target=\"/x\"", "failed to parse csv mounts: bare \" in non-quoted-field"},
      {"\"target=/x", "failed to parse csv mounts: extraneous or missing \" in quoted-field"},
      {"\"target=/x\"y", "failed to parse csv mounts: extraneous or missing \" in quoted-field"},
  };
  for (const Row& row : rows) {
    try {
      parse_mount(row.csv);
      ADD_FAILURE() << "accepted: " << row.csv;
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::usage);
      EXPECT_EQ(error.message(), row.message) << row.csv;
    }
  }
}

TEST(Mount, ValuesWithVariablesAreCheckedOnceExpanded) {
  const MountFlag mount = parse_mount("type=$T,target=$DIR,mode=$MODE,from=base");
  EXPECT_EQ(mount.type, "$T");
  const auto lookup_with = [](std::string mode) {
    return [mode](std::string_view name) -> std::optional<std::string> {
      if (name == "T") return "CACHE";
      if (name == "DIR") return "/var/cache";
      return mode;
    };
  };
  const MountFlag expanded = expand_mount(mount, lookup_with("0700"));
  EXPECT_EQ(expanded.type, "cache");
  EXPECT_THAT(expanded.options, ElementsAre(Pair("target", "/var/cache"), Pair("mode", "0700"), Pair("from", "base")));
  EXPECT_THROW(expand_mount(mount, lookup_with("rwx")), Error);
}

}  // namespace
}  // namespace tektii::dockerfile
