#include "collectors/postgres/collector.h"

#include <algorithm>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "collectors/postgres/hot_cold.h"
#include "collectors/postgres/metrics.h"
#include "collectors/postgres/names.h"
#include "collectors/postgres/sample_list.h"
#include "collectors/postgres/server_state.h"
#include "collectors/postgres/session.h"
#include "collectors/postgres/table_state.h"

namespace sidelight {
namespace {

using namespace postgres;

// The size of a database that the role may not connect to needs pg_read_all_stats, which pg_monitor has.
constexpr const char* kSizesSql =
    "select datname, pg_database_size(oid) from pg_database where datallowconn and not datistemplate"
    " order by (datname = any ($1::text[])) desc, datname limit 100";

// The slow part may take the run's time but for this share, so that the fast part is shown even then.
constexpr int kReserve = 10;

class PostgresCollector final : public Collector {
 public:
  PostgresCollector(PostgresOptions options, const CollectorContext& context)
      : options_(std::move(options)), context_(context) {}

  Expected<void> collect(CollectRun& run) override {
    if (!server_) {
      if (auto ready = prepare(); !ready) return ready;
    }
    SampleList fast;
    if (auto read = server_->read(*databases_.front().session, run.deadline, fast); !read) return read;
    if (!slow_at_ || run.now >= *slow_at_) {
      slow_at_ = run.now + options_.slow_interval;
      read_slow(Deadline(context_.clock, run.deadline.at() - run.deadline.left() / kReserve));
    }
    fast.show(run.out);
    for (const SampleList& part : slow_) part.show(run.out);
    return {};
  }

 private:
  struct Database {
    std::unique_ptr<SqlSession> session;
    bool tables = false;  // not only those of hot_cold
    TableState table_state;
    std::vector<const HotColdTable*> hot_cold;
  };

  Expected<void> prepare();
  Database& database(const std::string& name, const PostgresPlace& place);
  void read_slow(const Deadline& deadline);
  Expected<void> read_sizes(const Deadline& deadline, SampleList& out);
  // Reads one part; what it gave before it failed is not shown.
  template <class Read>
  void part(const std::string& title, const Deadline& deadline, Read read);
  void log_new_advice();

  const PostgresOptions options_;
  CollectorContext context_;
  std::vector<std::string> names_;  // of the databases whose tables are looked at
  std::unique_ptr<ServerState> server_;
  std::vector<Database> databases_;  // the first one is that of the URL
  std::optional<MonoTime> slow_at_;
  std::vector<SampleList> slow_;
  std::set<std::string> logged_;  // statements of the last slow part
};

PostgresCollector::Database& PostgresCollector::database(const std::string& name,
                                                         const PostgresPlace& place) {
  const auto it =
      std::ranges::find_if(databases_, [&](const Database& d) { return d.session->database() == name; });
  if (it != databases_.end()) return *it;
  Database d;
  d.session = std::make_unique<SqlSession>(options_, place, name, context_);
  return databases_.emplace_back(std::move(d));
}

Expected<void> PostgresCollector::prepare() {
  auto place = parse_postgres_url(options_.url);
  if (!place) return std::unexpected(place.error());
  database(place->database, *place);
  names_ = options_.databases;
  if (names_.empty()) names_.push_back(place->database);
  for (const std::string& name : names_) database(name, *place).tables = true;
  std::set<std::pair<std::string, std::string>> seen;
  for (const HotColdTable& table : options_.hot_cold) {
    const std::string& where = table.database.empty() ? place->database : table.database;
    if (seen.emplace(where, table.table).second) database(where, *place).hot_cold.push_back(&table);
  }
  server_ = std::make_unique<ServerState>(options_, names_);
  return {};
}

template <class Read>
void PostgresCollector::part(const std::string& title, const Deadline& deadline, Read read) {
  SampleList out;
  Expected<void> done = deadline.passed() ? fail("no time was left") : read(out);
  if (!done) {
    out = SampleList();
    out.warn(title + ": " + done.error().message +
             (deadline.passed() ? "; raise timeout, or give fewer databases or tables" : ""));
  }
  slow_.push_back(std::move(out));
}

Expected<void> PostgresCollector::read_sizes(const Deadline& deadline, SampleList& out) {
  const auto rows = databases_.front().session->query(kSizesSql, {array_literal(names_)}, deadline);
  if (!rows) return std::unexpected(rows.error());
  for (const SqlRow& r : *rows) {
    if (const auto bytes = r.number(1)) out.gauge(kDatabaseSize, *bytes, {{"database", r.text_or_empty(0)}});
  }
  return {};
}

void PostgresCollector::read_slow(const Deadline& deadline) {
  slow_.clear();
  part("sizes of databases", deadline, [&](SampleList& out) { return read_sizes(deadline, out); });
  const auto max_tables = static_cast<std::size_t>(options_.max_tables);
  for (Database& d : databases_) {
    const std::string& name = d.session->database();
    if (d.tables)
      part("tables of database " + name, deadline, [&](SampleList& out) {
        return d.table_state.read(*d.session, max_tables, server_->is_replica(), deadline, out);
      });
    for (const HotColdTable* table : d.hot_cold)
      part("hot and cold rows of " + table->table + " in database " + name, deadline,
           [&](SampleList& out) { return read_hot_cold(*d.session, *table, deadline, out); });
  }
  log_new_advice();
}

void PostgresCollector::log_new_advice() {
  std::set<std::string> now;
  for (const SampleList& list : slow_) {
    for (const Advice& a : list.advice()) {
      now.insert(a.subject + a.action);
      if (!logged_.contains(a.subject + a.action))
        context_.log.info("collector.advice." + options_.target.name + "." + a.subject,
                          "postgres " + options_.target.name + ": advice for " + a.subject + ": " + a.reason +
                              "; to be run by hand: " + a.action);
    }
  }
  logged_ = std::move(now);
}

}  // namespace

std::unique_ptr<Collector> make_postgres_collector(const PostgresOptions& options,
                                                   const CollectorContext& context) {
  return std::make_unique<PostgresCollector>(options, context);
}

}  // namespace sidelight
