// Hashes used for identity (XXH3, 64 bits) and for integrity of our own files (CRC-32C, RFC 3720 appendix
// B.4).
#pragma once

#include <cstdint>
#include <string_view>

namespace sidelight {

std::uint64_t hash64(std::string_view bytes);
std::uint32_t crc32c(std::string_view bytes);

}  // namespace sidelight
