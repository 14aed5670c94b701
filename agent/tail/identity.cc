#include "agent/tail/identity.h"

#include <algorithm>
#include <array>
#include <random>
#include <vector>

#include "agent/base/hash.h"

namespace sidelight {

Mark mark_of(std::string_view bytes) {
  return {static_cast<std::uint32_t>(bytes.size()), bytes.empty() ? 0 : hash64(bytes)};
}

Expected<Mark> read_head(const File& file) {
  std::array<char, kHeadBytes> buffer;
  auto n = file.read_at(buffer.data(), buffer.size(), 0);
  if (!n) return std::unexpected(n.error());
  return mark_of({buffer.data(), *n});
}

Expected<Mark> read_tail(const File& file, std::uint64_t offset) {
  std::array<char, kTailBytes> buffer;
  const auto want = static_cast<std::size_t>(std::min<std::uint64_t>(offset, kTailBytes));
  auto n = file.read_at(buffer.data(), want, offset - want);
  if (!n) return std::unexpected(n.error());
  if (*n != want) return fail("shorter than expected");
  return mark_of({buffer.data(), want});
}

Expected<bool> bears_marks(const File& file, const Mark& head, std::uint64_t offset, const Mark& tail) {
  std::array<char, kHeadBytes> buffer;
  const auto head_len = std::min<std::size_t>(head.len, buffer.size());
  auto n = file.read_at(buffer.data(), head_len, 0);
  if (!n) return std::unexpected(n.error());
  if (*n != head_len || mark_of({buffer.data(), head_len}) != head) return false;
  if (tail.len > offset || tail.len > kTailBytes) return false;
  auto t = file.read_at(buffer.data(), tail.len, offset - tail.len);
  if (!t) return std::unexpected(t.error());
  return *t == tail.len && mark_of({buffer.data(), tail.len}) == tail;
}

Expected<bool> same_prefix(const File& a, const File& b, std::uint64_t n) {
  constexpr std::size_t kStep = 64 * 1024;
  std::vector<char> x(kStep);
  std::vector<char> y(kStep);
  for (std::uint64_t at = 0; at < n; at += kStep) {
    const auto want = static_cast<std::size_t>(std::min<std::uint64_t>(kStep, n - at));
    auto i = a.read_at(x.data(), want, at);
    if (!i) return std::unexpected(i.error());
    auto j = b.read_at(y.data(), want, at);
    if (!j) return std::unexpected(j.error());
    if (*i != want || *j != want ||
        !std::equal(x.begin(), x.begin() + static_cast<std::ptrdiff_t>(want), y.begin()))
      return false;
  }
  return true;
}

std::string random_key() {
  static constexpr std::string_view kDigits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  std::random_device source;
  std::string key;
  unsigned bits = 0;
  unsigned have = 0;
  for (int i = 0; i < 22; ++i) {
    if (have < 6) {
      bits |= (source() & 0xFFFFu) << have;
      have += 16;
    }
    key.push_back(kDigits[bits & 63u]);
    bits >>= 6;
    have -= 6;
  }
  return key;
}

}  // namespace sidelight
