// From what pg_stats knows of a column to the share of rows of each value. Pure.
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace sidelight {

// One row of pg_stats, shortened: only some of the most common values are named.
struct ColumnStatistics {
  double null_fraction = 0;
  double distinct = 0;      // n_distinct: a number, or minus the share of rows that are distinct; 0 unknown
  double common_count = 0;  // of all most common values
  double common_share = 0;  // of all of them together
  double least_common = 1;  // the share of the least common of them; 1 where there is none
  struct Value {
    std::string value;
    double share = 0;
  };
  std::vector<Value> values;  // the hot ones among them, and the most common
};

// Of one value, as the planner estimates it: its own frequency where it is a most common value, else an equal
// part of what the most common values leave over, which is nothing when they are all there are.
double value_share(const ColumnStatistics& statistics, double rows, const std::string& value);

// Of the hot values together, at most 1. `hot` has each value once.
double hot_share(const ColumnStatistics& statistics, double rows, const std::vector<std::string>& hot);

}  // namespace sidelight
