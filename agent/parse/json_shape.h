// The keys of a flat JSON line, in their order: lines of one statement of a program share them. What was
// found out about the keys of one line need not be found out again for the next.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>

#include "agent/parse/key_roles.h"

namespace sidelight {

// A key as it stands in the line, with its quotes and the colon behind it: compared in two vectors.
class ShapeKey {
 public:
  static constexpr std::size_t kCompared = 32;
  static constexpr std::size_t kLongest = kCompared - 1;

  ShapeKey() = default;
  // `token`, quotes included, is not longer than kLongest.
  explicit ShapeKey(std::string_view token);

  std::size_t length() const { return length_; }  // without the colon
  // Whether the bytes at `p`, of which kCompared can be read, begin with the key and a colon.
  bool is_at(const char* p) const {
    Half first{};
    Half second{};
    std::memcpy(&first, p, sizeof first);
    std::memcpy(&second, p + sizeof first, sizeof second);
    const Half difference = ((first ^ bytes_[0]) & masks_[0]) | ((second ^ bytes_[1]) & masks_[1]);
    return (difference[0] | difference[1]) == 0;
  }

 private:
  typedef std::uint64_t Half __attribute__((vector_size(kCompared / 2)));
  std::array<Half, 2> bytes_{};
  std::array<Half, 2> masks_{};
  std::uint32_t length_ = 0;
};

struct ShapeMember {
  ShapeKey key;
  KnownKey known;
};

// Value type.
class JsonShape {
 public:
  static constexpr std::size_t kMostMembers = 24;

  // From the key tokens of a line, quotes included, and what is known of each. Empty when lines of that shape
  // are not to be read by it: too many members or too long ones, keys that are not plain, or that compete for
  // one part of the record.
  void learn(std::span<const std::string_view> tokens, std::span<const KnownKey> known);

  bool empty() const { return size_ == 0; }
  std::span<const ShapeMember> members() const { return {members_.data(), size_}; }

 private:
  std::array<ShapeMember, kMostMembers> members_{};
  std::size_t size_ = 0;
};

}  // namespace sidelight
