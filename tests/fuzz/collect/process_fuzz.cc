// Texts of /proc and of control groups; names of processes in them are anybody's.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "collectors/process/cgroup.h"
#include "collectors/process/proc_stat.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto stat = sidelight::parse_proc_stat(text);
  if (stat && stat->name.size() > size) std::abort();
  static_cast<void>(sidelight::flat_value(text, "user_usec"));
  static_cast<void>(sidelight::pressure_seconds(text, "some"));
  const std::size_t half = text.find("\n\n");
  if (half != std::string_view::npos)
    static_cast<void>(sidelight::locate_cgroup(text.substr(0, half + 1), text.substr(half + 2)));
  return 0;
}
