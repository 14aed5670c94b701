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

Shortcut shortcut_of(const KeyRole& r) {
  if (r.role == Role::other || r.role == Role::labels) return Shortcut::label;
  if (r.role == Role::message) return Shortcut::message;
  if (r.role == Role::time) return Shortcut::time;
  if (r.role != Role::ecs && r.role != Role::ecs_string) return Shortcut::none;
  const EcsType type = ecs_type(r.ecs);
  return type == EcsType::keyword || type == EcsType::text ? Shortcut::field : Shortcut::none;
}

}  // namespace

ShapeKey::ShapeKey(std::string_view token) : length_(static_cast<std::uint32_t>(token.size())) {
  std::array<char, kCompared> bytes{};
  std::array<char, kCompared> mask{};
  token.copy(bytes.data(), kLongest);
  bytes[length_] = ':';
  std::fill_n(mask.begin(), length_ + 1, '\xFF');
  std::memcpy(bytes_.data(), bytes.data(), bytes.size());
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
    members_[i] = {ShapeKey(tokens[i]), {known[i].role, true, true, shortcut_of(*known[i].role)}};
  size_ = tokens.size();
}

}  // namespace sidelight
