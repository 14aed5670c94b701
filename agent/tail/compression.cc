#include "agent/tail/compression.h"

#include <algorithm>
#include <array>
#include <utility>

namespace sidelight {
namespace {

using Known = std::pair<std::string_view, std::string_view>;

}  // namespace

std::string_view compression_named(std::string_view name) {
  constexpr auto kEndings = std::to_array<Known>({{".xz", "xz"},
                                                  {".zst", "zstd"},
                                                  {".bz2", "bzip2"},
                                                  {".lz4", "lz4"},
                                                  {".lzma", "lzma"},
                                                  {".zip", "zip"},
                                                  {".Z", "compress"}});
  for (const auto& [ending, what] : kEndings)
    if (name.size() > ending.size() && name.ends_with(ending)) return what;
  return {};
}

std::string_view compression_of(std::string_view head) {
  using std::literals::operator""sv;
  constexpr auto kBeginnings = std::to_array<Known>({{"\x1f\x8b\x08"sv, "gzip"},
                                                     {"\xfd\x37\x7a\x58\x5a\x00"sv, "xz"},
                                                     {"\x28\xb5\x2f\xfd"sv, "zstd"},
                                                     {"\x04\x22\x4d\x18"sv, "lz4"},
                                                     {"PK\x03\x04"sv, "zip"},
                                                     {"\x1f\x9d"sv, "compress"}});
  for (const auto& [beginning, what] : kBeginnings)
    if (head.starts_with(beginning)) return what;
  // "BZh", the level, the number pi.
  if (head.starts_with("BZh") && head.substr(std::min<std::size_t>(head.size(), 4)).starts_with("1AY&SY"))
    return "bzip2";
  return {};
}

}  // namespace sidelight
