#include "api/api_error.hpp"

#include <tektii/api/api_key.hpp>
#include <tektii/util/text.hpp>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <set>
#include <utility>
#include <vector>

namespace tektii::api {

namespace {

using nlohmann::json;

constexpr std::size_t k_longest_message = 2000;

std::string status_text(int status) {
  constexpr std::array<std::pair<int, const char*>, 17> k_texts = {{{400, "Bad Request"},
                                                                    {401, "Unauthorized"},
                                                                    {402, "Payment Required"},
                                                                    {403, "Forbidden"},
                                                                    {404, "Not Found"},
                                                                    {405, "Method Not Allowed"},
                                                                    {408, "Request Timeout"},
                                                                    {409, "Conflict"},
                                                                    {410, "Gone"},
                                                                    {413, "Content Too Large"},
                                                                    {422, "Unprocessable Content"},
                                                                    {429, "Too Many Requests"},
                                                                    {500, "Internal Server Error"},
                                                                    {501, "Not Implemented"},
                                                                    {502, "Bad Gateway"},
                                                                    {503, "Service Unavailable"},
                                                                    {504, "Gateway Timeout"}}};
  for (const auto& entry : k_texts) {
    if (entry.first == status) return entry.second;
  }
  return fmt::format("HTTP status {}", status);
}

// The text in a value that is a string, a list of strings, or neither (then empty).
std::string text_in(const json& value) {
  if (value.is_string()) return value.get<std::string>();
  std::vector<std::string> parts;
  if (value.is_array()) {
    for (const json& entry : value) {
      if (entry.is_string()) parts.push_back(entry.get<std::string>());
    }
  }
  return join(parts, ", ");
}

const json* member(const json& object, const char* name) {
  if (!object.is_object()) return nullptr;
  const auto found = object.find(name);
  return found == object.end() ? nullptr : &*found;
}

// One line per field: {"field"|"path"|"loc", "message"|"msg"} objects in a list, or an object of field: text.
std::vector<std::string> fields_in(const json& list) {
  std::vector<std::string> lines;
  if (list.is_object()) {
    for (const auto& entry : list.items()) lines.push_back(fmt::format("{}: {}", entry.key(), text_in(entry.value())));
  }
  if (!list.is_array()) return lines;
  for (const json& entry : list) {
    std::string field;
    std::string text;
    for (const char* name : {"field", "path", "property"}) {
      if (const json* value = member(entry, name); value != nullptr && field.empty()) field = text_in(*value);
    }
    for (const char* name : {"message", "msg", "error"}) {
      if (const json* value = member(entry, name); value != nullptr && text.empty()) text = text_in(*value);
    }
    if (entry.is_string()) text = entry.get<std::string>();
    if (!text.empty() || !field.empty()) lines.push_back(field.empty() ? text : fmt::format("{}: {}", field, text));
  }
  return lines;
}

std::vector<std::string> faulty_fields(std::string_view body) {
  const json document = json::parse(body, nullptr, false);
  const json* error = member(document, "error");
  for (const json* holder : {&document, error}) {
    if (holder == nullptr) continue;
    for (const char* name : {"errors", "details", "fields"}) {
      if (const json* list = member(*holder, name)) {
        std::vector<std::string> lines = fields_in(*list);
        if (!lines.empty()) return lines;
      }
    }
  }
  return {};
}

Error unauthorised(const std::string& message, const std::string& api_key) {
  Error error(ErrorKind::denied, "Invalid API key");
  if (const auto hint = api_key_hint(api_key)) error.add_hint(*hint);
  if (message != status_text(401) && message != "Invalid API key") error.add_hint("the server says: " + message);
  error.add_hint("set TEKTII_API_KEY or pass --api-key; keys are made in the platform's settings");
  return error;
}

constexpr std::string_view k_of = " of ";

// In lower case, without the quotes and full stops around them.
std::set<std::string> words_of(const std::string& text) {
  std::set<std::string> words;
  for (const std::string& word : split(to_lower(text), ' ')) {
    const std::size_t begin = word.find_first_not_of("\"'`.,:;!()");
    if (begin == std::string::npos) continue;
    words.insert(word.substr(begin, word.find_last_not_of("\"'`.,:;!()") - begin + 1));
  }
  return words;
}

// A word with which "x not found" is said in one way or another.
bool is_filler(std::string_view word) {
  constexpr std::array<std::string_view, 17> k_words = {"not",   "found", "no",   "such", "does", "doesn't",
                                                        "exist", "the",   "a",    "with", "id",   "in",
                                                        "of",    "for",   "this", "was",  "error"};
  return std::find(k_words.begin(), k_words.end(), word) != k_words.end();
}

Error not_found(const std::string& message, const ErrorSubject& about, const std::string& url) {
  if (about.subject.empty()) {
    return Error(ErrorKind::failure, fmt::format("not found: {}", url))
        .add_hint("is the API URL right? it is set with --api-url or TEKTII_API_URL");
  }
  // The server may know better which of the things in a request is missing.
  const std::size_t inner_end = about.subject.find(k_of);
  const std::set<std::string> inner = words_of(about.subject.substr(0, inner_end));
  const std::set<std::string> all = words_of(about.subject);
  bool names_inner = false;
  bool names_outer = false;
  for (const std::string& word : words_of(message)) {
    if (inner.contains(word)) {
      names_inner = true;
    } else if (all.contains(word)) {
      names_outer = true;
    } else if (!is_filler(word)) {
      return Error(ErrorKind::failure, fmt::format("{} not found: {}", about.subject, message));
    }
  }
  const std::string missing =
      names_outer && !names_inner ? about.subject.substr(inner_end + k_of.size()) : about.subject;
  return Error(ErrorKind::failure, missing + " not found");
}

Error rejected(const std::string& message, std::string_view body) {
  const std::vector<std::string> fields = faulty_fields(body);
  std::string text = "the platform rejected the request: " + message;
  for (const std::string& field : fields) text += "\n  " + field;
  return Error(ErrorKind::usage, text);
}

Error too_many_requests(const net::HttpResponse& response, const std::string& message) {
  Error error(ErrorKind::network, "too many requests: " + message);
  if (const auto wait = response.header("Retry-After")) error.add_hint("the server asks to wait: Retry-After " + *wait);
  return error;
}

Error server_failed(const net::HttpResponse& response, const std::string& message, const ErrorSubject& about) {
  Error error(ErrorKind::network, fmt::format("the platform failed: {} (HTTP {})", message, response.status));
  if (!about.idempotent) error.add_hint("the request may have been carried out: list before you try again");
  return error;
}

Error redirected(const net::HttpResponse& response) {
  const std::string to = response.header("Location").value_or("an unnamed place");
  return Error(ErrorKind::network, fmt::format("{} answers with a redirect to {}", response.url, to))
      .add_hint("the API key is not sent on to other addresses; set --api-url to the final one");
}

}  // namespace

std::string error_message(std::string_view body, int status) {
  const json document = json::parse(body, nullptr, false);
  std::string text;
  if (const json* message = member(document, "message")) text = text_in(*message);
  if (const json* error = member(document, "error"); error != nullptr && text.empty()) {
    if (const json* message = member(*error, "message")) text = text_in(*message);
    if (text.empty()) text = text_in(*error);
  }
  if (trim(text).empty()) return status_text(status);
  return text.size() > k_longest_message ? text.substr(0, k_longest_message) + "..." : text;
}

Error error_of(const net::HttpResponse& response, const ErrorSubject& about) {
  const std::string message = error_message(response.body, response.status);
  switch (response.status) {
    case 401:
      return unauthorised(message, about.api_key);
    case 403:
      return Error(ErrorKind::denied, about.subject.empty()
                                          ? "not allowed: " + message
                                          : fmt::format("not allowed for {}: {}", about.subject, message))
          .add_hint("the API key is valid, but it may not do this");
    case 404:
      return not_found(message, about, response.url);
    case 409:
      return Error(ErrorKind::failure, "conflict: " + message);
    case 400:
    case 422:
      return rejected(message, response.body);
    case 429:
      return too_many_requests(response, message);
    default:
      break;
  }
  if (response.status >= 500) return server_failed(response, message, about);
  if (response.status >= 300 && response.status < 400) return redirected(response);
  return Error(ErrorKind::failure, fmt::format("{} (HTTP {})", message, response.status));
}

}  // namespace tektii::api
