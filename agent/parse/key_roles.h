// What well-known logging libraries call the parts of a record, so that the same part is found under the same
// ECS name whoever wrote it.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "agent/base/ecs_fields.h"
#include "agent/parse/field_value.h"

namespace sidelight {

enum class Role : std::uint8_t {
  other,
  time,
  level,
  message,
  ecs,         // any scalar is the ECS field `ecs`
  ecs_string,  // only a string is; numbers and the like mean something else under this key
  ecs_number,  // only a number is
  labels,      // members of an object under this key are labels
};

struct KeyRole {
  Role role = Role::other;
  std::uint8_t rank = 0;  // of several keys for one part the lowest wins; the others become labels
  bool parent = false;    // an object under this key holds parts of the record: its members are looked up as
                          // "<as>.<member>"
  EcsOrdinal ecs = 0;
  std::string_view as;  // "error" for `err`, mostly the key itself; static
};

// The length, the first and the last eight bytes: all there is to a short key, and it tells long ones apart
// well.
struct KeyTag {
  std::uint64_t first = 0;
  std::uint64_t last = 0;
  std::size_t length = 0;

  KeyTag() = default;
  // Inlined, so that each place has its own history of branches: there the lengths follow a pattern.
  [[gnu::always_inline]] explicit KeyTag(std::string_view key) : length(key.size()) {
    const char* const p = key.data();
    if (length >= 8) {
      first = load<8>(p);
      last = load<8>(p + length - 8);
    } else if (length >= 4) {
      first = load<4>(p);
      last = load<4>(p + length - 4);
    } else if (length > 0) {
      first = load<1>(p);
      last = load<1>(p + length / 2) << 8 | load<1>(p + length - 1);
    }
  }
  bool operator==(const KeyTag&) const = default;
  // Keys with equal tags are equal.
  bool is_whole() const { return length <= 16; }

 private:
  template <std::size_t Bytes>
  static std::uint64_t load(const char* p) {
    std::uint64_t v = 0;
    std::memcpy(&v, p, Bytes);
    return v;
  }
};

// `key` is the dotted path from the top of the line ("msg", "log.level"). Covers ECS names too (Role::ecs).
// The role is static; thread-safe.
const KeyRole& find_role(std::string_view key);

// How a value under a key that is alone is put without a look at the rules.
enum class Shortcut : std::uint8_t {
  none,
  field,    // a string is the ECS field of the key's role
  time,     // a string is a time, if it can be read as one
  message,  // a string is the message
  label,    // whatever it is, it is a label
};

// What is known of a key.
struct KnownKey {
  const KeyRole* role = nullptr;
  bool plain = false;  // see is_plain_key()
  bool alone = false;  // no other key of its line is the same, or competes for the same part of the record
  Shortcut shortcut = Shortcut::none;
};

// find_role() for keys that come in the same order from line to line, as a program's lines mostly do: `place`
// is the number of the key in its line. One thread.
class RoleMemory {
 public:
  KnownKey find(std::string_view key, std::size_t place) {
    if (place >= known_.size()) return {&find_role(key)};
    const KeyTag tag(key);
    Known& k = known_[place];
    if (k.key.role == nullptr || !(k.tag == tag) || !tag.is_whole())
      k = {tag, {&find_role(key), is_plain_key(key)}};
    return k.key;
  }

 private:
  struct Known {
    KeyTag tag;
    KnownKey key;
  };
  std::array<Known, 32> known_{};
};

}  // namespace sidelight
