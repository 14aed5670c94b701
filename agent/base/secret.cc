#include "agent/base/secret.h"

#include <algorithm>
#include <cstdint>

namespace sidelight {
namespace {

constexpr std::size_t kMaxSecret = 64 * 1024;

}  // namespace

Expected<std::string> read_secret(FileSystem& fs, const std::string& file) {
  auto text = fs.read_file(file, kMaxSecret);
  if (!text)
    return fail("cannot read the credentials in " + file + ": " + text.error().message, text.error().code);
  while (!text->empty() && (text->back() == '\n' || text->back() == '\r')) text->pop_back();
  return text;
}

std::string base64(std::string_view bytes) {
  static constexpr std::string_view kDigits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  out.reserve((bytes.size() + 2) / 3 * 4);
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    std::uint32_t group = 0;
    const std::size_t n = std::min<std::size_t>(3, bytes.size() - i);
    for (std::size_t j = 0; j < 3; ++j) {
      group = group << 8 | (j < n ? static_cast<unsigned char>(bytes[i + j]) : 0u);
    }
    for (std::size_t j = 0; j < 4; ++j) out += j <= n ? kDigits[group >> (18 - 6 * j) & 63] : '=';
  }
  return out;
}

}  // namespace sidelight
