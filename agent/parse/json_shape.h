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

// A key as it stands in the line, quotes included: at most kLongest bytes, compared eight at a time.
class ShapeKey {
 public:
  static constexpr std::size_t kLongest = 32;

  ShapeKey() = default;
  // `token` is not longer than kLongest.
  explicit ShapeKey(std::string_view token);

  std::size_t length() const { return length_; }
  // Whether the bytes at `p`, of which kLongest can be read, begin with the key.
  bool is_at(const char* p) const {
    std::uint64_t difference = 0;
    for (std::size_t i = 0; i < kWords; ++i) {
      std::uint64_t word = 0;
      std::memcpy(&word, p + i * sizeof word, sizeof word);
      difference |= (word ^ words_[i]) & masks_[i];
    }
    return difference == 0;
  }

 private:
  static constexpr std::size_t kWords = kLongest / sizeof(std::uint64_t);
  std::array<std::uint64_t, kWords> words_{};
  std::array<std::uint64_t, kWords> masks_{};
  std::size_t length_ = 0;
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
