// Which documents an output may be given once more: those behind what the checkpoint calls settled.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

namespace sidelight {

// Immutable. What is settled later only moves the starts on, so that it stays true.
class ReplayStarts {
 public:
  ReplayStarts() = default;
  // For each key of a generation that may be replayed: no document that begins before this offset comes
  // again.
  explicit ReplayStarts(std::unordered_map<std::string, std::uint64_t> by_key) : by_key_(std::move(by_key)) {}
  // `doc_id` as write_doc_id() makes them; anything else does not come again.
  bool may_come_again(std::string_view doc_id) const;

 private:
  std::unordered_map<std::string, std::uint64_t> by_key_;
};

}  // namespace sidelight
