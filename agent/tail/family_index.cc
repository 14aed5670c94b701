#include "agent/tail/family_index.h"

#include <algorithm>

#include "agent/base/hash.h"
#include "agent/tail/rotated_names.h"

namespace sidelight {

FamilyIndex::Key FamilyIndex::key(const std::string& dir, const std::string& family) {
  return hash64(dir + "/" + family);
}

void FamilyIndex::add(TailedFile& file) {
  const std::string family = family_name(base_name(file.path));
  const std::string dir = dir_name(file.path);
  const std::string real_dir = dir_name(file.real);
  files_.emplace(key(dir, family), &file);
  if (real_dir != dir) files_.emplace(key(real_dir, family), &file);
}

void FamilyIndex::remove(TailedFile& file) {
  const std::string family = family_name(base_name(file.path));
  for (const std::string& dir : {dir_name(file.path), dir_name(file.real)}) {
    const auto [begin, end] = files_.equal_range(key(dir, family));
    const auto it = std::find_if(begin, end, [&](const auto& entry) { return entry.second == &file; });
    if (it != end) files_.erase(it);
  }
}

std::vector<TailedFile*> FamilyIndex::relatives(const std::string& dir, std::string_view name) const {
  std::vector<std::string> families{family_name(name)};
  for (const std::string& original : possible_originals(name)) families.push_back(family_name(original));
  std::sort(families.begin(), families.end());
  families.erase(std::unique(families.begin(), families.end()), families.end());
  std::vector<TailedFile*> out;
  for (const std::string& family : families) {
    const auto [begin, end] = files_.equal_range(key(dir, family));
    for (auto it = begin; it != end; ++it) out.push_back(it->second);
  }
  if (families.size() > 1) {  // keys may be equal by chance
    std::sort(out.begin(), out.end());
    out.erase(std::unique(out.begin(), out.end()), out.end());
  }
  return out;
}

}  // namespace sidelight
