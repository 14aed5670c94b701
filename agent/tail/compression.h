// What is compressed in a way that is not read here: reading it as text would ship its bytes as lines. gzip
// under a name that says so is read, see gzip_file.h.
#pragma once

#include <cstddef>
#include <string_view>

namespace sidelight {

// As many bytes of a file's beginning as compression_of() looks at.
inline constexpr std::size_t kCompressionMark = 10;

// By a name's end (.xz and the like, not .gz), by a file's first bytes (RFC 1952 for gzip, each format's own
// specification); empty: not compressed.
std::string_view compression_named(std::string_view name);
std::string_view compression_of(std::string_view head);

}  // namespace sidelight
