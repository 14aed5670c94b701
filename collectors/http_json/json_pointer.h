// Where in a document a value is: JSON pointers (RFC 6901), with `*` for each member of an object or each
// element of an array.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "agent/base/error.h"

namespace sidelight {

struct JsonPointer {
  struct Segment {
    std::string name;  // unescaped
    bool each = false;
  };
  std::vector<Segment> segments;

  static constexpr std::size_t kMaxEach = 3;
  std::size_t each() const;  // how many segments are `*`
};

// "/workers/busy", "/orders/*", "" for the whole document. A member that is really called "*" cannot be
// named.
Expected<JsonPointer> parse_json_pointer(std::string_view text);

// Where the value of a label comes from.
struct JsonLabelSource {
  std::size_t key = 0;  // the name or index that the n-th `*` stands for, from 1; 0: the pointer
  JsonPointer pointer;  // without `*`, from what the last `*` stands for, or from the document
};
// "key" (the last one), "key1" .. or a pointer, beside a metric's pointer with `each` stars.
Expected<JsonLabelSource> parse_label_source(std::string_view text, std::size_t each);

// For the configuration: empty, or what is wrong.
std::string check_json_pointer(const std::string& text);

}  // namespace sidelight
