#include "agent/base/descriptors.h"

namespace sidelight {

Expected<std::size_t> count_descriptors(FileSystem& fs, const std::string& fd_dir) {
  if (const auto st = fs.stat(fd_dir); st && st->size > 0) return static_cast<std::size_t>(st->size);
  const auto entries = fs.list(fd_dir);
  if (!entries) return std::unexpected(entries.error());
  return entries->size();
}

}  // namespace sidelight
