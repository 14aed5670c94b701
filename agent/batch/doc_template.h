// What the documents of one file have in common, as bytes.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "agent/batch/encoder.h"
#include "agent/batch/field_writer.h"

namespace sidelight {

// A place among the ECS fields: the number of table names that sort before something.
using EcsRank = std::size_t;
EcsRank ecs_rank(std::string_view name);

struct Constant {
  std::string name;     // dotted
  std::string literal;  // the value as JSON
  EcsRank rank = 0;
  bool in_table =
      false;  // then `rank` is the field's ordinal, and a record's field of that ordinal replaces this one
  NamedValue view() const { return {name, literal, ValueKind::json}; }
};

// The constants below one top-level name. Fields of records that belong to the same object have ordinals in
// [begin, end).
struct ConstantGroup {
  EcsRank begin = 0;
  EcsRank end = 0;
  std::vector<Constant> fields;  // sorted
  std::size_t rendered_at = 0;   // where ,"host":{...} begins in PreparedTemplate::tail
};

struct ConstantLabel {
  std::string key;      // as configured, repaired to valid UTF-8
  std::string literal;  // as JSON
  std::string value;    // as JSON
};

class PreparedTemplate final : public DocTemplate {
 public:
  // With `own_event_object`, the encoder itself opens "event", for the id.
  PreparedTemplate(const DocConstants& constants, bool own_event_object);

  std::string path;                    // ,"file":{"path":"..."}
  std::vector<Constant> log_fields;    // members of "log"
  std::string log_rendered;            // ,"logger":"..."
  std::vector<Constant> event_fields;  // members of "event", when the encoder opens it
  std::string event_rendered;
  std::vector<ConstantGroup> groups;  // all others, sorted
  std::vector<ConstantLabel> labels;  // unique keys
  std::string labels_rendered;        // "a":"b","c":"d"
  // All that follows message and event where the record brings nothing itself: the groups, labels, the
  // version.
  std::string tail;
  std::size_t groups_end = 0;  // in `tail`
  std::size_t bound = 0;       // more than all of the above takes in a document

  // As they stand in a document that brings nothing itself: from one group up to another, or to their end.
  std::string_view rendered_groups(std::size_t from, std::size_t to) const {
    const auto begin = [&](std::size_t i) { return i < groups.size() ? groups[i].rendered_at : groups_end; };
    return std::string_view(tail).substr(begin(from), begin(to) - begin(from));
  }
};

}  // namespace sidelight
