#include "agent/parse/json_index.h"

#include <simdjson.h>

#include <algorithm>
#include <bit>
#include <functional>

namespace sidelight {
namespace {

constexpr std::size_t kUsual = 64 * 1024;
constexpr std::size_t kLongest = 0xFFFF'FF00;            // what simdjson takes
constexpr std::size_t kGiveBackAfter = 4 * 1024 * 1024;  // bytes
constexpr std::size_t kBlock = 32 * 1024;                // the index of a block stays in the cache
constexpr unsigned kMostFaults = 63;
constexpr std::size_t kDepth = 1;  // ours is the second stage, so simdjson keeps no stack

// Wherever they lie.
bool contains(std::string_view outer, std::string_view inner) {
  const std::less_equal<const char*> before;
  return before(outer.data(), inner.data()) &&
         before(inner.data() + inner.size(), outer.data() + outer.size());
}

}  // namespace

JsonIndex::JsonIndex() = default;
JsonIndex::~JsonIndex() = default;

bool JsonIndex::reserve(std::size_t bytes) {
  const std::size_t have = stage_ ? stage_->capacity() : 0;
  if (have > kUsual && bytes <= kUsual) {
    small_bytes_ += bytes;
    if (small_bytes_ < kGiveBackAfter) return true;
    stage_.reset();
  } else {
    small_bytes_ = 0;
    if (bytes <= have) return true;
  }
  small_bytes_ = 0;
  const std::size_t capacity = std::max(kUsual, std::bit_ceil(bytes));
  if (!stage_) {
    return simdjson::get_active_implementation()->create_dom_parser_implementation(
               capacity, kDepth, stage_) == simdjson::SUCCESS;
  }
  return stage_->set_capacity(capacity) == simdjson::SUCCESS;
}

void JsonIndex::announce(std::string_view window) {
  // Where most of a window is not asked about, it is not JSON.
  const bool worth_it = window_.empty() || 2 * asked_ >= window_.size();
  window_ = window;
  block_ = {};
  asked_ = 0;
  in_blocks_ = worth_it && windows_to_skip_ == 0;
  if (windows_to_skip_ > 0) --windows_to_skip_;
}

JsonIndex::Outcome JsonIndex::index(std::string_view text, std::size_t read_to) {
  if (text.empty()) return Outcome::broken;
  asked_ += text.size() + 1;
  known_block_ = in_blocks_ && contains(block_, text);
  if (in_blocks_ && (known_block_ ? find_in_block(text, read_to) : index_block(text))) return Outcome::fine;
  in_blocks_ = known_block_ = false;  // what follows would have to be indexed once more
  block_ = text;
  first_ = 0;
  return stage(text);
}

JsonIndex::Outcome JsonIndex::stage(std::string_view bytes) {
  count_ = 0;
  if (bytes.empty() || bytes.size() > kLongest || !reserve(bytes.size())) return Outcome::broken;
  const auto error = stage_->stage1(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size(),
                                    simdjson::stage1_mode::regular);
  if (error == simdjson::UTF8_ERROR || error == simdjson::UNESCAPED_CHARS) return Outcome::bad_bytes;
  if (error != simdjson::SUCCESS) return Outcome::broken;
  positions_ = stage_->structural_indexes.get();
  count_ = stage_->n_structural_indexes;
  // simdjson has room for these, and puts the same there.
  for (const std::size_t behind : {count_, count_ + 1})
    stage_->structural_indexes[behind] = static_cast<std::uint32_t>(bytes.size());
  return Outcome::fine;
}

bool JsonIndex::find_in_block(std::string_view text, std::size_t read_to) {
  const auto begin = static_cast<std::size_t>(text.data() - block_.data());
  first_ = std::min(read_to, count_);
  while (first_ > 0 && positions_[first_ - 1] >= begin) --first_;
  while (first_ < count_ && positions_[first_] < begin) ++first_;
  return begins_cleanly(text.data());
}

// Whether it begins outside of strings and words, as if nothing were before it. No newline is inside of a
// string. Else no string may be open: its quote would be the last token before the text, or behind that one,
// since a quote in a word is no token.
bool JsonIndex::begins_cleanly(const char* text) const {
  if (text == block_.data() || text[-1] == '\n') return true;
  if (text[-1] != ' ') return false;
  const std::size_t last = first_ > 0 ? positions_[first_ - 1] : 0;
  return block_.substr(last, static_cast<std::size_t>(text - block_.data()) - last).find('"') ==
         std::string_view::npos;
}

// Indexes the text and the lines behind it.
bool JsonIndex::index_block(std::string_view text) {
  if (!contains(window_, text)) return false;
  std::string_view block = window_.substr(static_cast<std::size_t>(text.data() - window_.data()));
  if (block.size() > kBlock) block = block.substr(0, block.rfind('\n', kBlock - 1) + 1);
  if (block.size() < text.size()) return false;
  block_ = block;
  first_ = 0;
  if (stage(block) == Outcome::fine) {
    faults_ = 0;
    return true;
  }
  faults_ = std::min(2 * faults_ + 1, kMostFaults);
  windows_to_skip_ = faults_;
  return false;
}

}  // namespace sidelight
