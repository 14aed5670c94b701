// Where the tokens of a JSON line are: the structural index of simdjson's first stage, which also checks
// UTF-8, quotes and control characters. The grammar on top of it is ours (json_reader.h), because every byte
// that is passed on verbatim must have been checked, which simdjson's lazy On-Demand front end does not do.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

namespace simdjson::internal {
class dom_parser_implementation;
}

namespace sidelight {

// One thread. Memory grows to a few bytes per byte of the longest text, and is given back when such texts
// have become rare.
//
// The first stage is made for large texts: called for each line it costs about half as much again. So lines
// of an announced window are indexed in blocks, where that is sure to give what each line alone would: the
// block has no fault (a quote left open by one line would make the next newline one), and the line begins
// outside of strings and words.
class JsonIndex {
 public:
  enum class Outcome {
    fine,
    bad_bytes,  // broken UTF-8 or control characters in strings: repair_json() may help
    broken,
  };
  JsonIndex();
  ~JsonIndex();
  JsonIndex(const JsonIndex&) = delete;
  JsonIndex& operator=(const JsonIndex&) = delete;

  // Texts to come are parts of `window`, mostly in its order, or lie elsewhere. It has 64 readable bytes
  // behind it and stays as it is until the last of them was read.
  void announce(std::string_view window);

  // Finds { } [ ] : , outside of strings, opening quotes and the first bytes of other scalars. `text` needs
  // 64 readable bytes behind it. `read_to`: how far, in positions(), the text before has been read.
  Outcome index(std::string_view text, std::size_t read_to);

  // Until the next index() or announce(): their offsets from base(), ascending; those of the text are the
  // ones from first() on that lie before its end. Behind them there are those of texts to come, and at last
  // the length of block(), twice.
  const char* base() const { return block_.data(); }
  const std::uint32_t* positions() const { return positions_; }
  std::size_t first() const { return first_; }
  std::size_t count() const { return count_; }
  // The bytes that were indexed together with the text; whether the text before was among them.
  std::string_view block() const { return block_; }
  bool is_known_block() const { return known_block_; }

 private:
  Outcome stage(std::string_view bytes);
  bool reserve(std::size_t bytes);
  bool find_in_block(std::string_view text, std::size_t read_to);
  bool index_block(std::string_view text);
  bool begins_cleanly(const char* text) const;

  std::unique_ptr<simdjson::internal::dom_parser_implementation> stage_;
  const std::uint32_t* positions_ = nullptr;
  std::size_t first_ = 0;
  std::size_t count_ = 0;
  std::size_t small_bytes_ = 0;  // of small texts in a row, while the memory is large
  std::string_view block_;
  bool known_block_ = false;
  std::string_view window_;
  bool in_blocks_ = false;  // the window's lines are indexed together
  std::size_t asked_ = 0;   // bytes of the window's texts so far
  unsigned faults_ = 0;     // recent windows with a faulty block, doubled each time
  unsigned windows_to_skip_ = 0;
};

}  // namespace sidelight
