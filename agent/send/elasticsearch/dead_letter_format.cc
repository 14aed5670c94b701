#include "agent/send/elasticsearch/dead_letter_format.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <nlohmann/json.hpp>

#include "agent/base/rfc3339.h"

namespace sidelight {
namespace {

constexpr std::string_view kPrefix = "dead-letters-";
constexpr std::string_view kSuffix = ".ndjson";
constexpr std::string_view kIdKey = R"({"id":")";

// A JSON string; bytes that are no UTF-8 become U+FFFD.
std::string json_string(std::string_view s) {
  return nlohmann::json(std::string(s)).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

constexpr std::string_view kBlanks = " \t\r\n";

// The offset of what follows blanks; the end of `s` at most.
std::size_t skip_blanks(std::string_view s, std::size_t at) {
  return std::min(s.find_first_not_of(kBlanks, at), s.size());
}

// The offset behind the string that begins with the quote at `at`.
std::size_t string_end(std::string_view s, std::size_t at) {
  for (++at; at < s.size() && s[at] != '"'; ++at) {
    if (s[at] == '\\') ++at;
  }
  return std::min(at + 1, s.size());
}

// The offset of the comma or bracket behind a member's value that begins at `at`.
std::size_t member_end(std::string_view s, std::size_t at) {
  std::size_t depth = 0;
  while (at < s.size()) {
    const char c = s[at];
    if (depth == 0 && (c == ',' || c == '}')) break;
    if (c == '{' || c == '[') ++depth;
    if (c == '}' || c == ']') --depth;
    at = c == '"' ? string_end(s, at) : at + 1;
  }
  return at;
}

// The values as they stand in a line.
struct CutLetter {
  std::string_view id;
  std::string_view action;
  std::string_view document;
};

// Of a line that is valid JSON. Nothing when it is no object or goes on behind it.
std::optional<CutLetter> cut(std::string_view line) {
  CutLetter out;
  std::size_t at = skip_blanks(line, 0);
  if (at == line.size() || line[at] != '{') return std::nullopt;
  at = skip_blanks(line, at + 1);
  while (at < line.size() && line[at] == '"') {
    const std::size_t key_end = string_end(line, at);
    const std::string_view key = line.substr(at, key_end - at);
    const std::size_t begin = skip_blanks(line, skip_blanks(line, key_end) + 1);  // behind the colon
    at = member_end(line, begin);
    if (at >= line.size()) return std::nullopt;
    std::string_view value = line.substr(begin, at - begin);
    value = value.substr(0, value.find_last_not_of(kBlanks) + 1);
    if (key == R"("id")") out.id = value;
    if (key == R"("action")") out.action = value;
    if (key == R"("document")") out.document = value;
    if (line[at] == ',') at = skip_blanks(line, at + 1);
  }
  if (at >= line.size() || skip_blanks(line, at + 1) != line.size()) return std::nullopt;
  return out;
}

}  // namespace

void write_dead_letter(const DeadLetter& l, WallNanos wall, std::string& out) {
  std::array<char, kRfc3339Max> time{};
  // The id comes first, so that a start finds it without reading the rest of the line.
  out += R"({"id":)" + json_string(l.id);
  out += R"(,"@timestamp":)" + json_string(std::string_view(time.data(), write_rfc3339(time.data(), wall)));
  out += R"(,"reason":)" + json_string(l.reason);
  out += R"(,"error":{"type":)" + json_string(l.error_type) + R"(,"reason":)" + json_string(l.error_reason) +
         "}";
  out += R"(,"destination":)" + json_string(l.destination);
  out += R"(,"origin":{"path":)" + json_string(l.path) + R"(,"key":)" + json_string(l.key);
  out += R"(,"begin":)" + std::to_string(l.begin) + R"(,"end":)" + std::to_string(l.end);
  out += R"(,"input":)" + std::to_string(l.input) + "}";
  out += R"(,"action":)";
  out += l.action.empty() ? R"({"create":{}})" : l.action;
  out += R"(,"document":)";
  out += l.document.empty() ? "{}" : l.document;
  out += R"(,"original":)" + json_string(l.original);
  out += "}\n";
}

Expected<StoredLetter> read_dead_letter(std::string_view line) {
  // Values go out with the bytes that they had, so they are cut out and not written again: numbers would
  // change.
  const auto stored = nlohmann::json::accept(line) ? cut(line) : std::nullopt;
  if (!stored) return fail("not a JSON object");
  const auto id = nlohmann::json::parse(stored->id, nullptr, false);
  if (!id.is_string() || !stored->action.starts_with('{') || !stored->document.starts_with('{'))
    return fail("no \"id\", \"action\" or \"document\"");
  return StoredLetter{id.get<std::string>(), std::string(stored->action), std::string(stored->document)};
}

std::string_view dead_letter_id(std::string_view line) {
  if (!line.starts_with(kIdKey) || !line.ends_with('}')) return {};
  line.remove_prefix(kIdKey.size());
  return line.substr(0, line.find('"'));
}

std::optional<DeadLetterName> parse_dead_letter_name(std::string_view name) {
  DeadLetterName out;
  if (!name.starts_with(kPrefix)) return std::nullopt;
  name.remove_prefix(kPrefix.size());
  out.open = name.ends_with(kOpenSuffix);
  if (out.open) name.remove_suffix(kOpenSuffix.size());
  if (!name.ends_with(kSuffix)) return std::nullopt;
  name.remove_suffix(kSuffix.size());
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), out.number);
  if (error != std::errc() || end != name.data() + name.size()) return std::nullopt;
  return out;
}

std::string dead_letter_name(std::uint64_t number) {
  std::string digits = std::to_string(number);
  if (digits.size() < 10) digits.insert(0, 10 - digits.size(), '0');
  return std::string(kPrefix) + digits + std::string(kSuffix);
}

}  // namespace sidelight
