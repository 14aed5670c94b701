#include "agent/parse/json_index.h"

#include <simdjson.h>

#include <algorithm>
#include <bit>

namespace sidelight {
namespace {

constexpr std::size_t kUsual = 64 * 1024;
constexpr std::size_t kLongest = 0xFFFF'FF00;  // what simdjson takes
constexpr unsigned kGiveBackAfter = 10'000;
constexpr std::size_t kDepth = 1;  // ours is the second stage, so simdjson keeps no stack

}  // namespace

JsonIndex::JsonIndex() = default;
JsonIndex::~JsonIndex() = default;

bool JsonIndex::reserve(std::size_t bytes) {
  const std::size_t have = stage_ ? stage_->capacity() : 0;
  if (have > kUsual && bytes <= kUsual) {
    if (++small_texts_ < kGiveBackAfter) return true;
    stage_.reset();
  } else {
    small_texts_ = 0;
    if (bytes <= have) return true;
  }
  small_texts_ = 0;
  const std::size_t capacity = std::max(kUsual, std::bit_ceil(bytes));
  if (!stage_) {
    return simdjson::get_active_implementation()->create_dom_parser_implementation(
               capacity, kDepth, stage_) == simdjson::SUCCESS;
  }
  return stage_->set_capacity(capacity) == simdjson::SUCCESS;
}

JsonIndex::Outcome JsonIndex::index(std::string_view text) {
  count_ = 0;
  if (text.empty() || text.size() > kLongest || !reserve(text.size())) return Outcome::broken;
  const auto error = stage_->stage1(reinterpret_cast<const std::uint8_t*>(text.data()), text.size(),
                                    simdjson::stage1_mode::regular);
  if (error == simdjson::UTF8_ERROR || error == simdjson::UNESCAPED_CHARS) return Outcome::bad_bytes;
  if (error != simdjson::SUCCESS) return Outcome::broken;
  positions_ = stage_->structural_indexes.get();
  count_ = stage_->n_structural_indexes;
  return Outcome::fine;
}

}  // namespace sidelight
