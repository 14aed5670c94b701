// What a memcached may answer.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "collectors/memcached/stats.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  static_cast<void>(sidelight::is_whole_answer(text));
  static_cast<void>(sidelight::parse_memcached_stats(text));
  return 0;
}
