#include "registry/challenge.hpp"

#include <tektii/util/text.hpp>

#include <string_view>

namespace tektii::registry {

namespace {

bool is_space(char c) {
  return c == ' ' || c == '\t';
}

class ChallengeParser {
 public:
  explicit ChallengeParser(std::string_view text) : text_(text) {}

  void parse_into(std::vector<Challenge>& challenges) {
    while (true) {
      skip_separators();
      if (position_ >= text_.size()) return;
      const std::string word = take_word();
      if (word.empty()) {
        ++position_;  // a stray '=' or quote
        continue;
      }
      const std::size_t after_word = position_;
      skip_spaces();
      if (position_ < text_.size() && text_[position_] == '=' && !challenges.empty()) {
        ++position_;
        skip_spaces();
        challenges.back().params[to_lower(word)] = take_value();
      } else {
        position_ = after_word;
        challenges.push_back({to_lower(word), {}});
        skip_token68();
      }
    }
  }

 private:
  void skip_spaces() {
    while (position_ < text_.size() && is_space(text_[position_])) ++position_;
  }
  void skip_separators() {
    while (position_ < text_.size() && (is_space(text_[position_]) || text_[position_] == ',')) ++position_;
  }

  std::string take_word() {
    const std::size_t start = position_;
    while (position_ < text_.size() && !is_space(text_[position_]) && text_[position_] != ',' &&
           text_[position_] != '=' && text_[position_] != '"') {
      ++position_;
    }
    return std::string(text_.substr(start, position_ - start));
  }

  std::string take_value() {
    if (position_ < text_.size() && (text_[position_] == '"' || text_[position_] == '\'')) return take_quoted();
    const std::size_t start = position_;
    while (position_ < text_.size() && !is_space(text_[position_]) && text_[position_] != ',') ++position_;
    return std::string(text_.substr(start, position_ - start));
  }

  std::string take_quoted() {
    const char quote = text_[position_++];
    std::string value;
    while (position_ < text_.size() && text_[position_] != quote) {
      if (text_[position_] == '\\' && position_ + 1 < text_.size()) ++position_;
      value += text_[position_++];
    }
    if (position_ < text_.size()) ++position_;
    return value;
  }

  // "Negotiate YII=": data that belongs to the scheme. It is data when padding ends it and no value follows.
  void skip_token68() {
    const std::size_t start = position_;
    skip_spaces();
    if (position_ == start) return;
    take_word();
    const std::size_t padding = position_;
    while (position_ < text_.size() && text_[position_] == '=') ++position_;
    const bool at_end = position_ >= text_.size() || text_[position_] == ',' || is_space(text_[position_]);
    if (position_ == padding || !at_end) position_ = start;
  }

  std::string_view text_;
  std::size_t position_ = 0;
};

}  // namespace

std::string Challenge::param(const std::string& name) const {
  const auto found = params.find(name);
  return found == params.end() ? std::string() : found->second;
}

std::vector<Challenge> parse_challenges(const std::vector<std::string>& headers) {
  std::vector<Challenge> challenges;
  for (const std::string& header : headers) {
    std::vector<Challenge> of_header;
    ChallengeParser(header).parse_into(of_header);
    challenges.insert(challenges.end(), of_header.begin(), of_header.end());
  }
  return challenges;
}

}  // namespace tektii::registry
