#include "config/schema.h"

#include <algorithm>
#include <chrono>

#include "config/quantities.h"

namespace sidelight {
namespace {

constexpr std::int64_t kSampleBytes = 32 << 20;

// Whether YAML would read the bare text as something else than this very string.
bool needs_quotes(const std::string& s) {
  if (s.empty() || s.front() == ' ' || s.back() == ' ' || s.back() == ':') return true;
  if (std::string_view("-?:,[]{}#&*!|>'\"%@`=~").find(s.front()) != std::string_view::npos) return true;
  if (s.find(": ") != std::string::npos || s.find(" #") != std::string::npos) return true;
  if (s.find_first_of(",[]{}") != std::string::npos) return true;  // flow context
  return s == "null" || s == "Null" || s == "NULL";
}

bool is_control(char c) {
  return static_cast<unsigned char>(c) < 0x20 || c == 0x7F;
}

// Single quotes would make a space of a line break.
std::string with_escapes(const std::string& s) {
  constexpr std::string_view kHex = "0123456789abcdef";
  std::string out = "\"";
  for (const char c : s) {
    if (is_control(c)) {
      const auto byte = static_cast<unsigned char>(c);
      out.append("\\x").append(1, kHex[byte >> 4]).append(1, kHex[byte & 0xF]);
      continue;
    }
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + "\"";
}

std::string quoted(const std::string& s) {
  if (std::any_of(s.begin(), s.end(), is_control)) return with_escapes(s);
  if (!needs_quotes(s)) return s;
  std::string out = "'";
  for (const char c : s) {
    if (c == '\'') out += '\'';
    out += c;
  }
  return out + "'";
}

std::string format_amount(KeyType type, std::int64_t amount) {
  if (type == KeyType::bytes) return format_bytes(amount);
  if (type == KeyType::duration) return format_duration(std::chrono::milliseconds(amount));
  return std::to_string(amount);
}

}  // namespace

const KeySpec* ObjectSchema::find(const std::string& key) const {
  const auto it = std::find_if(fields.begin(), fields.end(), [&](const KeySpec& f) { return f.key == key; });
  return it == fields.end() ? nullptr : &*it;
}

std::string type_name(KeyType type) {
  switch (type) {
    case KeyType::text:
      return "text";
    case KeyType::boolean:
      return "true or false";
    case KeyType::integer:
      return "whole number";
    case KeyType::bytes:
      return "size";
    case KeyType::duration:
      return "duration";
    case KeyType::number:
      return "number";
    case KeyType::choice:
      return "one of several words";
    case KeyType::exclude:
    case KeyType::path:
      return "path";
    case KeyType::url:
      return "URL";
    case KeyType::proxy_url:
      return "proxy URL";
    case KeyType::listen:
      return "address and port";
    case KeyType::regex:
      return "regular expression";
    case KeyType::timezone:
      return "time zone";
    case KeyType::secret:
      return "secret";
    case KeyType::secret_file:
      return "path of a secret file";
    case KeyType::readable_file:
      return "path of a file";
    case KeyType::texts:
      return "list of texts";
    case KeyType::globs:
    case KeyType::excludes:
      return "list of paths";
    case KeyType::urls:
      return "list of URLs";
    case KeyType::text_map:
      return "keys with texts";
    case KeyType::object:
      return "section";
    case KeyType::object_list:
      return "list of sections";
  }
  return {};
}

std::string sample(const KeySpec& field) {
  if (!field.example.empty()) return field.example;
  switch (field.type) {
    case KeyType::boolean:
      return "true";
    case KeyType::choice:
      return field.choices.front();
    case KeyType::integer:
      return std::to_string(std::max<std::int64_t>(field.min, 1));
    case KeyType::number:
      return "0.5";
    case KeyType::bytes:
      return format_bytes(std::clamp(kSampleBytes, field.min, field.max));
    case KeyType::duration:
      return "1s";
    case KeyType::listen:
      return "127.0.0.1:9464";
    case KeyType::timezone:
      return "Europe/Moscow";
    default:
      return {};
  }
}

std::string bounds_text(const KeySpec& field) {
  const bool numeric = field.type == KeyType::integer || field.type == KeyType::bytes ||
                       field.type == KeyType::duration || field.type == KeyType::number;
  if (!numeric) return {};
  if (field.max == INT64_MAX) return "at least " + format_amount(field.type, field.min);
  return "from " + format_amount(field.type, field.min) + " to " + format_amount(field.type, field.max);
}

std::string format_value(const KeySpec& field, const KeyValue& value) {
  if (const auto* b = std::get_if<bool>(&value)) return *b ? "true" : "false";
  if (const auto* n = std::get_if<std::int64_t>(&value)) return format_amount(field.type, *n);
  if (const auto* d = std::get_if<double>(&value)) return format_number(*d);
  if (const auto* s = std::get_if<std::string>(&value)) return quoted(*s);
  std::string out;
  if (const auto* list = std::get_if<std::vector<std::string>>(&value)) {
    for (const std::string& s : *list) out += (out.empty() ? "" : ", ") + quoted(s);
    return "[" + out + "]";
  }
  for (const auto& [key, text] : std::get<TextMap>(value)) {
    out += (out.empty() ? "" : ", ") + quoted(key) + ": " + quoted(text);
  }
  return "{" + out + "}";
}

}  // namespace sidelight
