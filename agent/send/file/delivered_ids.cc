#include "agent/send/file/delivered_ids.h"

#include <simdjson.h>

#include <algorithm>
#include <cerrno>

#include "agent/base/hash.h"

namespace sidelight {
namespace {

constexpr std::size_t kBlock = 1u << 20;

class Loader {
 public:
  Loader(const ReplayStarts& starts, const std::function<bool()>& stop, std::vector<std::uint64_t>& hashes)
      : starts_(starts), stop_(stop), hashes_(hashes) {}

  // False when it was stopped.
  bool file(const File& file) {
    std::string text;
    for (std::uint64_t from = 0; !stop_();) {
      const std::size_t kept = text.size();
      text.resize(kept + kBlock);
      const auto n = file.read_at(text.data() + kept, kBlock, from);
      text.resize(kept + (n ? *n : 0));
      if (!n || *n == 0) return true;
      from += *n;
      text.reserve(text.size() + simdjson::SIMDJSON_PADDING);
      std::size_t begin = 0;
      for (auto nl = text.find('\n', kept); nl != std::string::npos; nl = text.find('\n', begin)) {
        line(text, begin, nl);
        begin = nl + 1;
      }
      text.erase(0, begin);
    }
    return false;
  }

 private:
  void line(const std::string& text, std::size_t begin, std::size_t end) {
    const std::size_t readable = text.capacity() - begin;
    simdjson::ondemand::document document;
    if (parser_.iterate(text.data() + begin, end - begin, readable).get(document)) return;
    std::string_view id;
    if (document.find_field_unordered("event").find_field_unordered("id").get_string().get(id)) return;
    if (starts_.may_come_again(id)) hashes_.push_back(hash64(id));
  }

  const ReplayStarts& starts_;
  const std::function<bool()>& stop_;
  std::vector<std::uint64_t>& hashes_;
  simdjson::ondemand::parser parser_;
};

}  // namespace

Expected<DeliveredIds> DeliveredIds::load(const std::vector<std::string>& files, FileSystem& fs,
                                          const ReplayStarts& starts, const std::function<bool()>& stop) {
  DeliveredIds out;
  Loader loader(starts, stop, out.hashes_);
  for (const std::string& path : files) {
    const auto file = fs.open(path, OpenMode::read);
    if (file && !loader.file(**file)) return fail("stopped while " + path + " was read", ECANCELED);
  }
  std::sort(out.hashes_.begin(), out.hashes_.end());
  out.hashes_.shrink_to_fit();
  return out;
}

bool DeliveredIds::contains(std::string_view id) const {
  return std::binary_search(hashes_.begin(), hashes_.end(), hash64(id));
}

}  // namespace sidelight
