#include "collectors/framework/bounded_json.h"

namespace sidelight {
namespace {

// The library would follow any depth; what is not balanced it refuses itself.
bool too_deep(std::string_view text) {
  std::size_t depth = 0;
  bool in_string = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (in_string) {
      if (c == '\\') ++i;
      if (c == '"') in_string = false;
    } else if (c == '"') {
      in_string = true;
    } else if (c == '[' || c == '{') {
      if (++depth > kMaxJsonDepth) return true;
    } else if ((c == ']' || c == '}') && depth > 0) {
      --depth;
    }
  }
  return false;
}

}  // namespace

Expected<nlohmann::json> parse_bounded_json(std::string_view text) {
  if (too_deep(text))
    return fail("the answer is nested deeper than " + std::to_string(kMaxJsonDepth) + " levels");
  auto root = nlohmann::json::parse(text, nullptr, false);
  if (root.is_discarded()) return fail("the answer is no JSON");
  return root;
}

const nlohmann::json* find_json(const nlohmann::json& from, std::initializer_list<std::string_view> names) {
  const nlohmann::json* at = &from;
  for (const std::string_view name : names) {
    if (!at->is_object()) return nullptr;
    const auto it = at->find(std::string(name));
    if (it == at->end()) return nullptr;
    at = &*it;
  }
  return at;
}

std::optional<double> json_number(const nlohmann::json& from, std::initializer_list<std::string_view> names) {
  const nlohmann::json* const found = find_json(from, names);
  return found != nullptr && found->is_number() ? std::optional(found->get<double>()) : std::nullopt;
}

std::optional<std::string> json_text(const nlohmann::json& from,
                                     std::initializer_list<std::string_view> names) {
  const nlohmann::json* const found = find_json(from, names);
  return found != nullptr && found->is_string() ? std::optional(found->get<std::string>()) : std::nullopt;
}

}  // namespace sidelight
