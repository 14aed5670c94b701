#include "agent/send/elasticsearch/bisect.h"

#include <algorithm>

namespace sidelight {

std::vector<std::uint32_t> choose_samples(const std::vector<std::uint32_t>& docs, std::uint64_t offset,
                                          std::vector<std::uint32_t>& rest) {
  std::vector<std::uint32_t> samples;
  rest.clear();
  const std::size_t stride = std::max<std::size_t>(1, (docs.size() + kSamples - 1) / kSamples);
  const std::size_t first = static_cast<std::size_t>(offset % stride);
  for (std::size_t i = 0; i < docs.size(); ++i) {
    (i % stride == first ? samples : rest).push_back(docs[i]);
  }
  return samples;
}

}  // namespace sidelight
