#include "collectors/postgres/collector.h"

#include <algorithm>
#include <utility>

#include "collectors/postgres/metrics.h"
#include "collectors/postgres/names.h"
#include "collectors/postgres/sample_list.h"
#include "collectors/postgres/server_state.h"
#include "collectors/postgres/session.h"

namespace sidelight {
namespace {

using namespace postgres;

// pg_database_size() of what the role may not connect to is an error, unless it is in pg_read_all_stats.
constexpr const char* kSizesSql =
    "select datname, pg_database_size(oid) from pg_database where datallowconn and not datistemplate"
    " order by (datname = any ($1::text[])) desc, datname limit 100";

class PostgresCollector final : public Collector {
 public:
  PostgresCollector(PostgresOptions options, const CollectorContext& context)
      : options_(std::move(options)), context_(context) {}

  Expected<void> collect(CollectRun& run) override {
    if (!server_) {
      if (auto ready = prepare(); !ready) return ready;
    }
    SampleList fast;
    if (auto read = server_->read(*sessions_.front(), run.deadline, fast); !read) return read;
    if (!slow_at_ || run.now >= *slow_at_) {
      slow_at_ = run.now + options_.slow_interval;
      read_slow(run.deadline);
    }
    fast.show(run.out);
    slow_.show(run.out);
    return {};
  }

 private:
  Expected<void> prepare() {
    auto place = parse_postgres_url(options_.url);
    if (!place) return std::unexpected(place.error());
    std::vector<std::string> databases = options_.databases;
    if (databases.empty()) databases.push_back(place->database);
    server_ = std::make_unique<ServerState>(options_, databases);
    sessions_.push_back(std::make_unique<SqlSession>(options_, *place, place->database, context_));
    databases_ = std::move(databases);
    return {};
  }

  void read_slow(const Deadline& deadline) {
    slow_ = SampleList();
    const auto sizes = sessions_.front()->query(kSizesSql, {array_literal(databases_)}, deadline);
    if (!sizes) {
      slow_.warn("sizes of databases: " + sizes.error().message);
      return;
    }
    for (const SqlRow& r : *sizes) {
      if (const auto bytes = r.number(1))
        slow_.gauge(kDatabaseSize, *bytes, {{"database", r.text_or_empty(0)}});
    }
  }

  const PostgresOptions options_;
  CollectorContext context_;
  std::vector<std::string> databases_;
  std::unique_ptr<ServerState> server_;
  std::vector<std::unique_ptr<SqlSession>> sessions_;  // the first one for what concerns the whole server
  std::optional<MonoTime> slow_at_;
  SampleList slow_;
};

}  // namespace

std::unique_ptr<Collector> make_postgres_collector(const PostgresOptions& options,
                                                   const CollectorContext& context) {
  return std::make_unique<PostgresCollector>(options, context);
}

}  // namespace sidelight
