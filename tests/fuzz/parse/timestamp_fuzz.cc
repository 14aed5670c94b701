#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "agent/parse/timestamp.h"

// Whatever is recognised lies within the years that are promised, and within the text. Zone files are read
// from the same bytes.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const sidelight::TimeZone utc;
  static constexpr std::int64_t kEnd = 9'214'646'400;  // 2262-01-01
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto zone = sidelight::TimeZone::from_tzif(text);
  const sidelight::TimeContext context{zone ? &*zone : &utc, 1'795'377'662'000'000'000};
  if (const auto m = sidelight::match_time(text, context)) {
    if (m->length > size || m->ns < 0) std::abort();
  }
  if (const auto m = sidelight::match_glog_time(text, context)) {
    if (m->length > size || m->ns < 0) std::abort();
  }
  const auto value = sidelight::parse_time(text, context);
  if (value && (*value < 0 || *value / 1'000'000'000 > kEnd + 86'400)) std::abort();
  if (zone) zone->offset_of_local(1'795'377'662);
  return 0;
}
