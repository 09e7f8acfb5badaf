#include "dockerfile/text.hpp"
#include "dockerfile/utf8.hpp"
#include <tektii/dockerfile/history.hpp>
#include <tektii/util/text.hpp>

#include <fmt/format.h>

namespace tektii::dockerfile {
namespace {

// The escape that Go writes for one code point inside double quotes.
std::string escape_code_point(const CodePoint& code_point, std::string_view bytes) {
  constexpr std::string_view k_named = "\a\b\f\n\r\t\v";
  constexpr std::string_view k_names = "abfnrtv";
  if (!code_point.valid) return fmt::format("\\x{:02x}", static_cast<unsigned char>(bytes.front()));
  const auto value = static_cast<std::uint32_t>(code_point.value);
  if (value == '"' || value == '\\') return fmt::format("\\{}", bytes);
  if (is_printable(code_point.value)) return std::string(bytes);
  if (value < 0x80) {
    const std::size_t named = k_named.find(static_cast<char>(value));
    return named != std::string_view::npos ? fmt::format("\\{}", k_names[named]) : fmt::format("\\x{:02x}", value);
  }
  return value < 0x10000 ? fmt::format("\\u{:04x}", value) : fmt::format("\\U{:08x}", value);
}

// %v of a slice: [a b].
std::string plain_list(std::span<const std::string> words) {
  return "[" + join(words, " ") + "]";
}

std::string history_pairs(std::string_view keyword, std::span<const KeyValue> pairs) {
  std::string text(keyword);
  for (const KeyValue& pair : pairs) text += fmt::format(" {}={}", pair.key, pair.value);
  return text;
}

// Where the credentials of an authority "user:password@host" begin, and their length with the '@' if that goes too.
std::pair<std::size_t, std::size_t> credentials_of(std::string_view scheme, std::string_view authority) {
  const auto at = authority.rfind('@');
  if (at == std::string_view::npos) return {0, 0};
  if (scheme.ends_with("http") || scheme.ends_with("https")) return {0, at + 1};
  const auto colon = authority.substr(0, at).find(':');
  if (!scheme.ends_with("ssh") && !scheme.ends_with("git")) return {0, 0};
  return colon == std::string_view::npos ? std::pair<std::size_t, std::size_t>{0, 0} : std::pair{colon, at - colon};
}

}  // namespace

std::string without_url_credentials(std::string_view text) {
  constexpr std::string_view k_separator = "://";
  constexpr std::string_view k_ends_authority = "/?# \t\"'";
  std::string shown;
  for (auto found = text.find(k_separator); found != std::string_view::npos; found = text.find(k_separator)) {
    const auto scheme = text.substr(0, found);
    shown += text.substr(0, found + k_separator.size());
    text.remove_prefix(found + k_separator.size());
    const auto authority = text.substr(0, text.find_first_of(k_ends_authority));
    const auto [begin, length] = credentials_of(to_lower(scheme), authority);
    shown += text.substr(0, begin);
    text.remove_prefix(begin + length);
  }
  return shown.append(text);
}

std::string go_quote(std::string_view text) {
  std::string quoted = "\"";
  for (std::size_t i = 0; i < text.size();) {
    const CodePoint code_point = decode_utf8(text, i);
    quoted += escape_code_point(code_point, text.substr(i, code_point.length));
    i += code_point.length;
  }
  return quoted + "\"";
}

std::string go_quote_list(std::span<const std::string> words) {
  std::vector<std::string> quoted;
  for (const std::string& word : words) quoted.push_back(go_quote(word));
  return plain_list(quoted);
}

std::string format_go_duration(std::int64_t nanoseconds) {
  if (nanoseconds == 0) return "0s";
  const bool negative = nanoseconds < 0;
  const std::uint64_t value =
      negative ? 0 - static_cast<std::uint64_t>(nanoseconds) : static_cast<std::uint64_t>(nanoseconds);
  const auto fraction = [](std::uint64_t amount, std::uint64_t unit) {
    std::string text = fmt::format("{}", amount / unit);
    if (amount % unit == 0) return text;
    std::string digits = fmt::format("{}", unit + amount % unit).substr(1);
    digits.erase(digits.find_last_not_of('0') + 1);
    return text + "." + digits;
  };
  std::string text = negative ? "-" : "";
  if (value < 1'000) return text + fmt::format("{}ns", value);
  if (value < 1'000'000) return text + fraction(value, 1'000) + "\xC2\xB5s";
  if (value < 1'000'000'000) return text + fraction(value, 1'000'000) + "ms";
  constexpr std::uint64_t k_minute = 60'000'000'000;
  const std::uint64_t minutes = value / k_minute;
  if (minutes >= 60) text += fmt::format("{}h", minutes / 60);
  if (minutes > 0) text += fmt::format("{}m", minutes % 60);
  return text + fraction(value % k_minute, 1'000'000'000) + "s";
}

std::string history_run(std::span<const std::pair<std::string, std::string>> args, std::span<const std::string> argv) {
  std::string text = "RUN ";
  if (!args.empty()) text += fmt::format("|{} ", args.size());
  for (const auto& [name, value] : args) text += fmt::format("{}={} ", name, value);
  return text + join(argv, " ") + " # buildkit";
}

std::string history_copy(const Copy& copy) {
  std::string text = copy.is_add ? "ADD" : "COPY";
  if (copy.parents.value_or(false)) text += " --parents";
  if (copy.chown) text += " --chown=" + *copy.chown;
  if (copy.chmod) text += " --chmod=" + *copy.chmod;
  for (const std::string& source : copy.sources) text += " " + without_url_credentials(source);
  for (const Heredoc& heredoc : copy.heredocs) text += " <<" + heredoc.name;
  return text + " " + copy.destination + " # buildkit";
}

std::string history_workdir(std::string_view absolute_path) {
  return fmt::format("WORKDIR {}", absolute_path);
}

std::string history_env(std::span<const KeyValue> pairs) {
  return history_pairs("ENV", pairs);
}

std::string history_label(std::span<const KeyValue> pairs) {
  return history_pairs("LABEL", pairs);
}

std::string history_arg(const Arg& arg) {
  std::string text = "ARG";
  for (const Arg::Item& item : arg.items) text += " " + item.name + (item.value ? "=" + *item.value : "");
  return text;
}

std::string history_cmd(std::span<const std::string> argv) {
  return "CMD " + go_quote_list(argv);
}

std::string history_entrypoint(std::span<const std::string> argv) {
  return "ENTRYPOINT " + go_quote_list(argv);
}

std::string history_expose(std::span<const std::string> ports) {
  return "EXPOSE " + plain_list(ports);
}

std::string history_volume(std::span<const std::string> paths) {
  return "VOLUME " + plain_list(paths);
}

std::string history_user(std::string_view user) {
  return fmt::format("USER {}", user);
}

std::string history_stopsignal(std::string_view signal) {
  return fmt::format("STOPSIGNAL {}", signal);
}

std::string history_shell(std::span<const std::string> words) {
  return "SHELL " + plain_list(words);
}

std::string history_maintainer(std::string_view name) {
  return fmt::format("MAINTAINER {}", name);
}

// A Go struct printed with %+v.
std::string history_healthcheck(const HealthcheckInstruction& check, std::span<const std::string> test) {
  return fmt::format("HEALTHCHECK {{Test:{} Interval:{} Timeout:{} StartPeriod:{} StartInterval:{} Retries:{}}}",
                     plain_list(test), format_go_duration(check.interval_ns), format_go_duration(check.timeout_ns),
                     format_go_duration(check.start_period_ns), format_go_duration(check.start_interval_ns),
                     check.retries);
}

}  // namespace tektii::dockerfile
