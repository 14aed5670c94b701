// What a search engine or Logstash may answer: the first byte says to which question.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <set>
#include <string>

#include "collectors/log_store/elasticsearch_answers.h"
#include "collectors/log_store/logstash_answer.h"

namespace {

void check(bool good) {
  if (!good) std::abort();
}

void look_at_nodes(std::string_view text) {
  const auto nodes = sidelight::parse_store_nodes(text);
  if (!nodes) return;
  std::set<std::string> names;
  for (const auto& node : *nodes) check(names.insert(node.name).second);
  check(names.size() <= sidelight::kMaxStoreNodes);
}

void look_at_watermarks(std::string_view text) {
  const auto watermarks = sidelight::parse_watermarks(text);
  if (!watermarks) return;
  for (const auto& w : *watermarks) {
    const auto ratio = sidelight::watermark_ratio(w, 1e12);
    check(!ratio || (*ratio >= 0 && *ratio <= 1));
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  switch (data[0] % 6) {
    case 0:
      static_cast<void>(sidelight::parse_store_info(text));
      break;
    case 1:
      static_cast<void>(sidelight::parse_store_health(text));
      break;
    case 2:
      look_at_nodes(text);
      break;
    case 3:
      look_at_watermarks(text);
      break;
    case 4:
      static_cast<void>(sidelight::parse_store_documents(text));
      break;
    default:
      if (const auto stats = sidelight::parse_relay_stats(text))
        check(stats->pipelines.size() <= sidelight::kMaxRelayPipelines);
  }
  return 0;
}
