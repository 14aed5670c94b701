#include "agent/parse/json_shape.h"

#include <algorithm>

namespace sidelight {
namespace {

// Whether two keys can want the same part of a record.
bool compete(const KeyRole& a, const KeyRole& b) {
  const auto is_ecs = [](const KeyRole& r) {
    return r.role == Role::ecs || r.role == Role::ecs_string || r.role == Role::ecs_number;
  };
  if (is_ecs(a) && is_ecs(b)) return a.ecs == b.ecs;
  return a.role == b.role && (a.role == Role::time || a.role == Role::level || a.role == Role::message);
}

}  // namespace

ShapeKey::ShapeKey(std::string_view token) : length_(token.size()) {
  std::array<char, kLongest> bytes{};
  std::array<char, kLongest> mask{};
  token.copy(bytes.data(), bytes.size());
  std::fill_n(mask.begin(), length_, '\xFF');
  std::memcpy(words_.data(), bytes.data(), bytes.size());
  std::memcpy(masks_.data(), mask.data(), mask.size());
}

void JsonShape::learn(std::span<const std::string_view> tokens, std::span<const KnownKey> known) {
  size_ = 0;
  if (tokens.size() > kMostMembers) return;
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    if (tokens[i].size() > ShapeKey::kLongest || !known[i].plain) return;
    for (std::size_t j = 0; j < i; ++j)
      if (tokens[i] == tokens[j] || compete(*known[i].role, *known[j].role)) return;
  }
  for (std::size_t i = 0; i < tokens.size(); ++i)
    members_[i] = {ShapeKey(tokens[i]), {known[i].role, true, true}};
  size_ = tokens.size();
}

}  // namespace sidelight
