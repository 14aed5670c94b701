// One connection to one database; the only door to libpq.
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agent/base/error.h"
#include "agent/base/filesystem.h"
#include "collectors/framework/collector.h"
#include "collectors/postgres/names.h"
#include "collectors/postgres/options.h"

namespace sidelight {

// One row of an answer, as text. A column that is NULL or not there is nothing.
class SqlRow {
 public:
  explicit SqlRow(std::vector<std::optional<std::string>> columns) : columns_(std::move(columns)) {}
  std::optional<std::string> text(std::size_t column) const {
    return column < columns_.size() ? columns_[column] : std::nullopt;
  }
  std::string text_or_empty(std::size_t column) const { return text(column).value_or(std::string()); }
  // Finite numbers only.
  std::optional<double> number(std::size_t column) const;
  bool flag(std::size_t column) const { return text(column) == "t"; }

 private:
  std::vector<std::optional<std::string>> columns_;
};

using SqlRows = std::vector<SqlRow>;
using SqlParameters = std::vector<std::optional<std::string>>;

// Connects at the first query and again after it was lost; the password's file is read at each connect. The
// session is read-only, has pg_catalog alone as its search path, and carries timeouts: the server itself ends
// a statement that outlives the run which asked for it, whether or not we can still say so. One thread at a
// time.
class SqlSession {
 public:
  static constexpr std::size_t kMaxRows = 50'000;
  static constexpr std::size_t kMaxBytes = std::size_t{16} << 20;

  // `options` and what `context` refers to outlive it.
  SqlSession(const PostgresOptions& options, const PostgresPlace& place, std::string database,
             const CollectorContext& context);
  ~SqlSession();
  SqlSession(const SqlSession&) = delete;
  SqlSession& operator=(const SqlSession&) = delete;

  // One statement, its answer whole. An Error says what the server or libpq said, in one line. Does not wait
  // beyond the deadline, but for the resolution of the host's name. After an error that is not the
  // statement's own, and at the deadline, the connection is closed: an answer that comes late is nobody's.
  // The server ends the statement after `at_most` if that is before the deadline (SQLSTATE 57014).
  Expected<SqlRows> query(const std::string& sql, const SqlParameters& parameters, const Deadline& deadline,
                          std::chrono::milliseconds at_most = std::chrono::hours(1));

  // Of the last error, where the server gave one: "42703".
  const std::string& last_sqlstate() const;
  const std::string& database() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace sidelight
