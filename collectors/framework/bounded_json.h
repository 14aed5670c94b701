// JSON that somebody else wrote, for collectors. For .cc files: the library's header is a large one.
#pragma once

#include <cstddef>
#include <initializer_list>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "agent/base/error.h"

namespace sidelight {

constexpr std::size_t kMaxJsonDepth = 100;

// An error when the text is no JSON (RFC 8259, UTF-8), or is nested deeper than kMaxJsonDepth.
Expected<nlohmann::json> parse_bounded_json(std::string_view text);

// What is under these names, one within the other; null when it is not there.
const nlohmann::json* find_json(const nlohmann::json& from, std::initializer_list<std::string_view> names);
// The number there; nothing when there is none.
std::optional<double> json_number(const nlohmann::json& from, std::initializer_list<std::string_view> names);
// The string there; nothing when there is none.
std::optional<std::string> json_text(const nlohmann::json& from,
                                     std::initializer_list<std::string_view> names);

}  // namespace sidelight
