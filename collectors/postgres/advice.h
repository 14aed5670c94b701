// When to advise what about a table with hot and cold rows. Pure; docs/collectors/postgres.md has the
// reasons.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "collectors/framework/samples.h"
#include "collectors/postgres/options.h"

namespace sidelight {

// Whether the index holds every hot row.
enum class Coverage { yes, no, unknown };

struct StatusIndex {
  std::string name;
  bool leads_with_status = false;  // its first column is the status column
  bool partial = false;
  Coverage hot = Coverage::yes;  // of a partial index
  std::optional<double> rows;    // that it holds (estimate)
};

// Names and literals come quoted from the server, ready for a statement.
struct HotColdFacts {
  std::string table;         // schema.table
  std::string plain_schema;  // not quoted
  std::string plain_table;
  std::string status_column;
  std::string created_column;  // empty: not configured, or no date
  std::string hot_literals;    // 'new', 'priced'
  std::string role;
  std::string hot_index;            // a name for a new index
  std::string next_month;           // 2026_12
  std::vector<std::string> months;  // 2026-12-01, 2027-01-01, ...: the beginnings of the next ones
  bool partitioned = false;
  bool is_partition = false;
  bool plain = true;  // an ordinary table, not inherited from
  bool replica = false;
  bool may_see_status = true;  // SELECT on the status column
  bool row_security = false;   // which hides the statistics
  bool has_statistics = false;
  bool stale_statistics = false;
  double rows = 0;
  double size = 0;
  bool size_known = false;
  bool empty = false;
  std::optional<double> hot_share;
  std::vector<StatusIndex> indexes;
};

struct TableAdvice {
  std::string action;  // partial_index, partition_by_month, analyze, grant
  std::string code;    // the label `reason`: one of a fixed set of words
  std::string reason;  // a sentence
  std::string statement;
};

std::vector<TableAdvice> advise(const HotColdTable& settings, const HotColdFacts& facts);

// The share of the table's rows that the hot statuses select through the index; nothing when it is of no use
// to them or not known.
std::optional<double> selectivity(const HotColdFacts& facts, const StatusIndex& index);

}  // namespace sidelight
