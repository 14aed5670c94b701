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

  // Offsets of { } [ ] : , outside of strings, of opening quotes and of the first byte of other scalars,
  // ascending, are in positions() until the next call. `text` needs 64 readable bytes behind it.
  Outcome index(std::string_view text);
  const std::uint32_t* positions() const { return positions_; }
  std::size_t count() const { return count_; }

 private:
  bool reserve(std::size_t bytes);
  std::unique_ptr<simdjson::internal::dom_parser_implementation> stage_;
  const std::uint32_t* positions_ = nullptr;
  std::size_t count_ = 0;
  unsigned small_texts_ = 0;  // in a row, while the memory is large
};

}  // namespace sidelight
