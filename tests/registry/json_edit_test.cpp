#include "registry/json_edit.hpp"

#include <gtest/gtest.h>

namespace tektii::registry {
namespace {

const std::vector<std::pair<std::string, std::string>> k_auth = {{"auth", "Ym9iOng="}};

struct EditCase {
  const char* name;
  const char* before;
  const char* after;
};

class AddEntry : public ::testing::TestWithParam<EditCase> {};

TEST_P(AddEntry, LeavesTheRestAsItIs) {
  EXPECT_EQ(with_auth_entry(GetParam().before, "r.io", k_auth), GetParam().after);
}

INSTANTIATE_TEST_SUITE_P(
    Cases, AddEntry,
    ::testing::Values(
        EditCase{"Blank", "  ", "{\n\t\"auths\": {\n\t\t\"r.io\": {\n\t\t\t\"auth\": \"Ym9iOng=\"\n\t\t}\n\t}\n}\n"},
        EditCase{"Empty", "{}", "{\n\t\"auths\": {\n\t\t\"r.io\": {\n\t\t\t\"auth\": \"Ym9iOng=\"\n\t\t}\n\t}\n}"},
        EditCase{"OneLine", R"({"auths":{"a.io":{"auth":"x"}},"n":1e3})",
                 R"({"auths":{"a.io":{"auth":"x"}, "r.io": {"auth": "Ym9iOng="}},"n":1e3})"},
        EditCase{"OtherMembers",
                 "{\n  \"detachKeys\": \"ctrl-\\u003c\",\n  \"HttpHeaders\": {\"a\": [1.0, {\"b\":\"}\"}]}\n}\n",
                 "{\n  \"detachKeys\": \"ctrl-\\u003c\",\n  \"HttpHeaders\": {\"a\": [1.0, {\"b\":\"}\"}]},\n"
                 "  \"auths\": {\n    \"r.io\": {\n      \"auth\": \"Ym9iOng=\"\n    }\n  }\n}\n"},
        EditCase{"Replaced", "{\n\t\"auths\": {\n\t\t\"r.io\": {\"auth\":\"old\"},\n\t\t\"z.io\": {}\n\t}\n}",
                 "{\n\t\"auths\": {\n\t\t\"r.io\": {\n\t\t\t\"auth\": \"Ym9iOng=\"\n\t\t},\n\t\t\"z.io\": {}\n\t}\n}"},
        EditCase{"NullAuths", "{\"auths\": null, \"x\": \"}\\\"{\"}",
                 "{\"auths\": {\"r.io\": {\"auth\": \"Ym9iOng=\"}}, \"x\": \"}\\\"{\"}"},
        EditCase{"EscapedKey", R"({"auths":{"r\u002eio":{"auth":"old"}}})",
                 R"({"auths":{"r\u002eio":{"auth": "Ym9iOng="}}})"}),
    [](const auto& tested) { return tested.param.name; });

class RemoveEntry : public ::testing::TestWithParam<EditCase> {};

TEST_P(RemoveEntry, LeavesTheRestAsItIs) {
  EXPECT_EQ(without_auth_entry(GetParam().before, "r.io"), GetParam().after);
}

INSTANTIATE_TEST_SUITE_P(
    Cases, RemoveEntry,
    ::testing::Values(EditCase{"Only", R"({"auths":{"r.io":{}},"x":1})", R"({"auths":{},"x":1})"},
                      EditCase{"First", R"({"auths":{"r.io":{}, "z.io":{}}})", R"({"auths":{"z.io":{}}})"},
                      EditCase{"Middle", "{\"auths\":{\n\"a\":{},\n\"r.io\":{},\n\"z\":{}\n}}",
                               "{\"auths\":{\n\"a\":{},\n\"z\":{}\n}}"},
                      EditCase{"Last", "{\"auths\":{\n\t\"a\":{},\n\t\"r.io\":{}\n}}", "{\"auths\":{\n\t\"a\":{}\n}}"},
                      EditCase{"Twice", R"({"auths":{"r.io":{},"r.io":{}}})", R"({"auths":{}})"},
                      EditCase{"Absent", R"({"auths":{"a.io":{}}})", R"({"auths":{"a.io":{}}})"},
                      EditCase{"NoAuths", R"({"credsStore":"x"})", R"({"credsStore":"x"})"},
                      EditCase{"Blank", " ", " "}),
    [](const auto& tested) { return tested.param.name; });

}  // namespace
}  // namespace tektii::registry
