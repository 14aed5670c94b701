// A YAML file as a plain tree with positions. The only place that knows the YAML library: its exceptions and
// its node types stay behind this header.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "config/problem.h"

namespace sidelight {

struct DocumentNode;

struct DocumentEntry;

struct DocumentNode {
  enum class Kind { null, scalar, list, map };
  Kind kind = Kind::null;
  std::string text;                    // scalar, before ${...}
  bool quoted = false;                 // scalar in quotes or a block: "true" and "5" are strings then
  int line = 0;                        // from 1
  int column = 0;                      // from 1
  std::vector<DocumentNode> items;     // list
  std::vector<DocumentEntry> entries;  // map, in the file's order; keys are unique
};

struct DocumentEntry {
  std::string key;
  int line = 0;
  int column = 0;
  DocumentNode value;
};

// Parses one YAML document. On errors `problems` grows (line, column and message are set, the rest is the
// caller's) and the tree is what could be understood. Aliases are expanded, up to a bound on the number of
// nodes; input is bounded too.
DocumentNode parse_document(std::string_view text, std::vector<ConfigProblem>& problems);

}  // namespace sidelight
