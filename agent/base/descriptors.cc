#include "agent/base/descriptors.h"

namespace sidelight {

std::optional<std::size_t> descriptors_told(FileSystem& fs, const std::string& fd_dir) {
  const auto st = fs.stat(fd_dir);
  if (!st || st->size == 0) return std::nullopt;
  return static_cast<std::size_t>(st->size);
}

Expected<std::size_t> count_descriptors(FileSystem& fs, const std::string& fd_dir) {
  if (const auto told = descriptors_told(fs, fd_dir)) return *told;
  const auto entries = fs.list(fd_dir);
  if (!entries) return std::unexpected(entries.error());
  return entries->size();
}

}  // namespace sidelight
