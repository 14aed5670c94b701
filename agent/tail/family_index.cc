#include "agent/tail/family_index.h"

#include <algorithm>

#include "agent/base/hash.h"
#include "agent/tail/rotated_names.h"

namespace sidelight {

FamilyIndex::Key FamilyIndex::key(const std::string& dir, const std::string& family) {
  return hash64(dir + "/" + family);
}

std::vector<FamilyIndex::Key> FamilyIndex::keys_of(const TailedFile& file) {
  const std::string family = family_name(base_name(file.path));
  const std::string dir = dir_name(file.path);
  const std::string real_dir = dir_name(file.real);
  std::vector<Key> keys{key(dir, family)};
  if (real_dir != dir) keys.push_back(key(real_dir, family));
  const std::string real_family = family_name(base_name(file.real));
  if (real_family != family) keys.push_back(key(real_dir, real_family));
  return keys;
}

void FamilyIndex::add(TailedFile& file) {
  for (const Key k : keys_of(file)) files_.emplace(k, &file);
}

void FamilyIndex::remove(TailedFile& file) {
  for (const Key k : keys_of(file)) {
    const auto [begin, end] = files_.equal_range(k);
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
