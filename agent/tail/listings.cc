#include "agent/tail/listings.h"

#include <algorithm>

namespace sidelight {
namespace {

// A directory that was changed so shortly before it was listed may have been changed again since, under the
// same time: clocks of file systems tick every few milliseconds, some every two seconds.
constexpr std::int64_t kFineTick = 100'000'000;
constexpr std::int64_t kCoarseTick = 2'500'000'000;
constexpr std::int64_t kSecond = 1'000'000'000;

bool settled(const FileStat& st, std::int64_t listed_ns) {
  const std::int64_t changed_ns = std::max(st.mtime_ns, st.ctime_ns);
  return listed_ns - changed_ns > (changed_ns % kSecond == 0 ? kCoarseTick : kFineTick);
}

bool before(const DirEntry& e, std::string_view name) {
  return e.name < name;
}

}  // namespace

const Listings::Listing* Listings::of(const std::string& dir) {
  const auto st = fs_.stat(dir);
  if (!st) return nullptr;
  Listing& kept = kept_[dir];
  if (kept.stat == *st && settled(kept.stat, kept.listed_ns)) return &kept;
  kept = {*st, clock_.wall(), {}, {}};
  auto entries = fs_.list(dir);
  if (!entries) {
    kept_.erase(dir);
    return nullptr;
  }
  kept.entries = std::move(*entries);
  std::sort(kept.entries.begin(), kept.entries.end(),
            [](const DirEntry& a, const DirEntry& b) { return a.name < b.name; });
  kept.by_inode.reserve(kept.entries.size());
  for (std::size_t i = 0; i < kept.entries.size(); ++i) kept.by_inode.emplace(kept.entries[i].inode, i);
  return &kept;
}

std::string Listings::path_of(const std::string& dir, std::uint64_t inode) {
  const Listing* listing = of(dir);
  if (listing == nullptr) return {};
  const auto it = listing->by_inode.find(inode);
  return it == listing->by_inode.end() ? std::string() : dir + "/" + listing->entries[it->second].name;
}

const std::vector<std::string_view>& Listings::names(const std::string& dir, std::string_view prefix) {
  names_.clear();
  const Listing* listing = of(dir);
  if (listing == nullptr) return names_;
  for (auto it = std::lower_bound(listing->entries.begin(), listing->entries.end(), prefix, before);
       it != listing->entries.end() && it->name.starts_with(prefix); ++it)
    names_.push_back(it->name);
  return names_;
}

}  // namespace sidelight
