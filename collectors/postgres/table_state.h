// Tables and indexes of one database: sizes, rows, scans; partitions as one with their root.
#pragma once

#include <string>

#include "collectors/postgres/rolled_counter.h"
#include "collectors/postgres/sample_list.h"
#include "collectors/postgres/session.h"

namespace sidelight {

class TableState {
 public:
  // Partitions and indexes that are read in one pass; what is beyond is left out, with a warning.
  static constexpr std::size_t kMaxMembers = 20'000;

  // The `max_tables` largest tables and their indexes. What somebody holds an ACCESS EXCLUSIVE lock on has no
  // size this time: asking for it would wait for that lock.
  Expected<void> read(SqlSession& session, std::size_t max_tables, bool replica, const Deadline& deadline,
                      SampleList& out);

 private:
  Expected<void> read_tables(SqlSession& session, const SqlParameters& limits, bool replica,
                             const Deadline& deadline, SampleList& out);
  Expected<void> read_indexes(SqlSession& session, const Deadline& deadline, SampleList& out);

  std::string roots_;  // of the tables that are shown, as an array of their ids
  RolledCounter sequential_scans_;
  RolledCounter index_scans_of_tables_;
  RolledCounter index_scans_;
};

}  // namespace sidelight
