// Settings of the PostgreSQL collector.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "collectors/framework/collector.h"

namespace sidelight {

// What libpq calls sslmode. `automatic` is verify_full where a CA file is given, else prefer.
enum class PostgresTlsMode { automatic, disable, prefer, require, verify_ca, verify_full };

struct PostgresTls {
  PostgresTlsMode mode = PostgresTlsMode::automatic;
  std::string ca_file;           // PEM; empty: the system's
  std::string certificate_file;  // PEM, for a role that logs in by certificate
  std::string key_file;
};

// A table of which some rows are worked on (hot) and the others are an archive (cold).
struct HotColdTable {
  std::string table;     // "public.orders"; the schema is public where none is given
  std::string database;  // empty: that of the URL
  std::string status_column;
  std::vector<std::string> hot;  // values of the status column
  std::string created_column;    // empty: not known
  // When to advise. A partial index: at least so many rows, at most this share of them hot.
  std::int64_t partial_index_min_rows = 100'000;
  double partial_index_max_hot_ratio = 0.2;
  // Partitions: at least so large, at least this share of the rows cold.
  std::int64_t partition_min_size = std::int64_t{10} << 30;
  double partition_min_cold_ratio = 0.8;
};

struct PostgresOptions {
  TargetOptions target;
  std::string url;  // postgresql://host:port/database
  std::string username = "sidelight";
  std::string password;  // or password_file; neither: none
  std::string password_file;
  PostgresTls tls;
  std::vector<std::string> databases;  // whose tables are looked at; empty: that of the URL
  std::chrono::milliseconds slow_interval{60'000};
  std::chrono::milliseconds long_query{30'000};
  std::int64_t max_tables = 50;  // of each database
  std::vector<HotColdTable> hot_cold;
};

}  // namespace sidelight
