#include "cli/build/cache_options.hpp"

#include <tektii/util/error.hpp>
#include <tektii/util/file.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <string>

namespace tektii::cli {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

CachePlace from(const std::string& given) {
  return read_cache_options({{given}, {}}).from.at(0);
}

CacheExportSpec to(const std::string& given) {
  return read_cache_options({{}, {given}}).to.at(0);
}

TEST(CacheOptions, Imports) {
  for (const char* given :
       {"type=registry,ref=127.0.0.1:5000/app:cache", "127.0.0.1:5000/app:cache",
        "ref=127.0.0.1:5000/app:cache,type=registry", "TYPE=registry,\"ref=127.0.0.1:5000/app:cache\""}) {
    const auto place = from(given);
    ASSERT_TRUE(place.reference) << given;
    EXPECT_EQ(place.name(), "127.0.0.1:5000/app:cache") << given;
  }
  EXPECT_EQ(from("user/app").name(), "docker.io/user/app:latest");
  EXPECT_EQ(from("type=local,src=some/dir").directory, std::filesystem::absolute("some/dir"));
  EXPECT_EQ(from("type=local,src=/some/dir").name(), "/some/dir");
  EXPECT_EQ(from("type=local,src=/d,tag=main").name(), "/d:main");
  EXPECT_EQ(from("type=local,src=/d,tag=feature/a+b").tag, "feature/a+b");
  const std::string digest = "sha256:" + std::string(64, 'a');
  EXPECT_EQ(from("type=local,src=/d,digest=" + digest).tag, digest);
  EXPECT_EQ(from("type=local,\"src=/a,b\"").directory, "/a,b");
}

TEST(CacheOptions, Exports) {
  EXPECT_FALSE(to("type=registry,ref=127.0.0.1:5000/app:cache").all_stages);
  EXPECT_TRUE(to("type=registry,ref=127.0.0.1:5000/app:cache,mode=max").all_stages);
  EXPECT_EQ(to("127.0.0.1:5000/app:cache").place.name(), "127.0.0.1:5000/app:cache");
  const auto local = to("type=local,dest=/d,mode=min,tag=main,ignore-error=true,oci-mediatypes=true,image-manifest=1");
  EXPECT_EQ(local.place.name(), "/d:main");
  EXPECT_TRUE(local.ignore_error);
  EXPECT_FALSE(local.all_stages);
}

TEST(CacheOptions, InlineIsPartOfTheImage) {
  const auto specs = read_cache_options({{}, {"type=inline", "type=local,dest=/d"}});
  EXPECT_TRUE(specs.is_inline);
  EXPECT_EQ(specs.to.size(), 1U);
  EXPECT_TRUE(read_cache_options({{}, {"type=inline,mode=min"}}).is_inline);
  EXPECT_FALSE(read_cache_options({{}, {"type=local,dest=/d"}}).is_inline);
}

struct Refused {
  const char* option;
  const char* given;
  const char* text;  // in the message or a hint
};

class RefusedCacheOption : public ::testing::TestWithParam<Refused> {};

TEST_P(RefusedCacheOption, SaysWhatWouldDo) {
  const auto& row = GetParam();
  CacheOptions options;
  (std::string(row.option) == "--cache-to" ? options.to : options.from) = {row.given};
  try {
    read_cache_options(options);
    ADD_FAILURE() << "accepted: " << row.given;
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::usage);
    EXPECT_THAT(error.what(), HasSubstr(row.option));
    // It ends on a terminal and in logs.
    EXPECT_THAT(error.what(), Not(HasSubstr("\xff")));
    std::string text = error.what();
    for (const auto& hint : error.hints()) text += "\n" + hint;
    EXPECT_THAT(text, HasSubstr(row.text));
  }
}

INSTANTIATE_TEST_SUITE_P(
    Table, RefusedCacheOption,
    ::testing::Values(
        Refused{"--cache-to", "type=registry,ref=127.0.0.1:5000/repo:\xff", "is not a tag"},
        Refused{"--cache-to", "127.0.0.1:5000/repo:\xff", "is not a tag"},
        Refused{"--cache-from", "127.0.0.1:5000/repo:a b", "is not a tag"},
        Refused{"--cache-to", "type=local,dest=/d,tag=\xff", "is not a tag"},
        Refused{"--cache-from", "type=local,src=/d,tag=\xff", "is not a tag"},
        Refused{"--cache-from", "type=local,src=/d,tag=a b", "letters, digits and - . _ : @ / +"},
        Refused{"--cache-to", "type=local,dest=/d,tag=-a", "is not a tag"},
        Refused{"--cache-to", "type=\xff,dest=/d", "is unknown"},
        Refused{"--cache-to", "type=gha,scope=x", "type=gha is not supported"},
        Refused{"--cache-to", "type=gha", "type=local,dest=DIR or type=registry,ref=NAME"},
        Refused{"--cache-from", "type=gha", "keep the directory of type=local between its jobs"},
        Refused{"--cache-from", "type=s3,region=x", "type=s3 is not supported"},
        Refused{"--cache-to", "type=azblob", "type=azblob is not supported"},
        Refused{"--cache-to", "type=file,dest=x", "type=file is unknown"},
        Refused{"--cache-from", "type=inline", "use type=registry,ref=IMAGE"},
        Refused{"--cache-to", "type=inline,mode=max", "its own steps alone"},
        Refused{"--cache-to", "type=inline,ref=x", "type=inline has no key ref"},
        Refused{"--cache-to", "dest=x", "the type is missing"}, Refused{"--cache-from", "", "the name is missing"},
        Refused{"--cache-to", "type=local", "dest is missing"}, Refused{"--cache-to", "type=local,dest=", "no value"},
        Refused{"--cache-from", "type=local", "src is missing"},
        Refused{"--cache-to", "type=local,src=/x", "dest is missing"},
        Refused{"--cache-from", "type=local,src=/x,dest=/y", "type=local has no key dest"},
        Refused{"--cache-from", "type=local,src=/x,tagg=y", "did you mean tag?"},
        Refused{"--cache-from", "type=local,src=/x,digest=y", "y is no digest"},
        Refused{"--cache-from", "type=local,src=/x,word", "word is no key=value"},
        Refused{"--cache-to", "type=local,dest=/x,mode=all", "there is no mode all"},
        Refused{"--cache-to", "type=local,dest=/x,ignore-error=maybe", "neither true nor false"},
        Refused{"--cache-to", "type=local,dest=/x,compression=zstd", "--compression says how"},
        Refused{"--cache-to", "type=local,dest=/x,compression-level=3", "compression-level is not supported"},
        Refused{"--cache-to", "type=local,dest=/x,force-compression=true", "force-compression is not supported"},
        Refused{"--cache-to", "type=registry,ref=a/b,image-manifest=false", "image-manifest=false is not supported"},
        Refused{"--cache-to", "type=registry,ref=a/b,oci-mediatypes=false", "oci-mediatypes=false is not supported"},
        Refused{"--cache-to", "type=registry,ref=a/b,registry.insecure=true", "registry.insecure is not supported"},
        Refused{"--cache-to", "type=registry", "ref is missing"},
        Refused{"--cache-to", "type=registry,ref=UPPER/case", "--cache-to type=registry"},
        Refused{"--cache-to",
                "type=registry,ref=a/b@sha256:"
                "0000000000000000000000000000000000000000000000000000000000000000",
                "can't be written to a digest"},
        Refused{"--cache-to", "type=local,\"dest=/x", "failed to parse --cache-to"},
        Refused{"--cache-to", "type=local,dest=/proc", "not an OCI image layout"},
        Refused{"--cache-to", "type=local,dest=/proc/version", "is not a directory"}));

}  // namespace
}  // namespace tektii::cli
