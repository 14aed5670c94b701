// What makes bytes on disk "the same file as before": hashes of its head and of the bytes before our offset.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "agent/base/error.h"
#include "agent/base/filesystem.h"

namespace sidelight {

// XXH3 of `len` bytes. len 0 says nothing and matches everything.
struct Mark {
  std::uint32_t len = 0;
  std::uint64_t hash = 0;
  bool operator==(const Mark&) const = default;
};

inline constexpr std::uint32_t kHeadBytes = 1024;
inline constexpr std::uint32_t kTailBytes = 256;

// Whether a head is long enough to tell files apart by itself. Short ones may be alike, since programs greet
// with the same line: then something else must make two files the same.
inline bool tells_apart(const Mark& head) {
  return head.len == kHeadBytes;
}

Mark mark_of(std::string_view bytes);

// The mark of the first min(size, kHeadBytes) bytes.
Expected<Mark> read_head(const File& file);
// The mark of the min(offset, kTailBytes) bytes before offset; error when the file is shorter than offset.
Expected<Mark> read_tail(const File& file, std::uint64_t offset);

// Do the file's first head.len bytes, and the tail.len bytes before offset, bear these marks?
Expected<bool> bears_marks(const File& file, const Mark& head, std::uint64_t offset, const Mark& tail);

// Are the first `n` bytes of both the same?
Expected<bool> same_prefix(const File& a, const File& b, std::uint64_t n);

// 128 random bits as 22 characters of base64url (RFC 4648, section 5, no padding).
std::string random_key();

}  // namespace sidelight
