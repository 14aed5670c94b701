#include "agent/send/elasticsearch/dead_letter_format.h"

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
  // Members in the order written: the document goes out with the bytes that it would have had.
  const auto json = nlohmann::ordered_json::parse(line, nullptr, false);
  if (!json.is_object()) return fail("not a JSON object");
  const auto id = json.find("id");
  const auto action = json.find("action");
  const auto document = json.find("document");
  if (id == json.end() || !id->is_string() || action == json.end() || !action->is_object() ||
      document == json.end() || !document->is_object()) {
    return fail("no \"id\", \"action\" or \"document\"");
  }
  return StoredLetter{id->get<std::string>(), action->dump(), document->dump()};
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
