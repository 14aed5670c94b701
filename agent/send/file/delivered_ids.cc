#include "agent/send/file/delivered_ids.h"

#include <simdjson.h>

#include <algorithm>

#include "agent/base/hash.h"

namespace sidelight {
namespace {

constexpr std::size_t kBlock = 1u << 20;

class Loader {
 public:
  explicit Loader(std::vector<std::uint64_t>& hashes) : hashes_(hashes) {}

  // Lines of [from, end of file); a first line that `from` cuts is no JSON and passed over.
  void file(const File& file, std::uint64_t from) {
    std::string text;
    for (;;) {
      const std::size_t kept = text.size();
      text.resize(kept + kBlock);
      const auto n = file.read_at(text.data() + kept, kBlock, from);
      text.resize(kept + (n ? *n : 0));
      if (!n || *n == 0) return;
      from += *n;
      text.reserve(text.size() + simdjson::SIMDJSON_PADDING);
      std::size_t begin = 0;
      for (auto nl = text.find('\n', kept); nl != std::string::npos; nl = text.find('\n', begin)) {
        line(text, begin, nl);
        begin = nl + 1;
      }
      text.erase(0, begin);
    }
  }

 private:
  void line(const std::string& text, std::size_t begin, std::size_t end) {
    const std::size_t readable = text.capacity() - begin;
    simdjson::ondemand::document document;
    if (parser_.iterate(text.data() + begin, end - begin, readable).get(document)) return;
    std::string_view id;
    if (document.find_field_unordered("event").find_field_unordered("id").get_string().get(id)) return;
    hashes_.push_back(hash64(id));
  }

  std::vector<std::uint64_t>& hashes_;
  simdjson::ondemand::parser parser_;
};

}  // namespace

DeliveredIds DeliveredIds::load(const std::vector<std::string>& files, FileSystem& fs,
                                std::uint64_t max_bytes) {
  DeliveredIds out;
  Loader loader(out.hashes_);
  for (const std::string& path : files) {
    if (max_bytes == 0) break;
    const auto file = fs.open(path, OpenMode::read);
    if (!file) continue;
    const auto stat = (*file)->stat();
    if (!stat) continue;
    const std::uint64_t take = std::min(stat->size, max_bytes);
    max_bytes -= take;
    loader.file(**file, stat->size - take);
  }
  std::sort(out.hashes_.begin(), out.hashes_.end());
  out.hashes_.shrink_to_fit();
  return out;
}

bool DeliveredIds::contains(std::string_view id) const {
  return std::binary_search(hashes_.begin(), hashes_.end(), hash64(id));
}

}  // namespace sidelight
