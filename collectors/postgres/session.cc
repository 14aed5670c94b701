#include "collectors/postgres/session.h"

#include <libpq-fe.h>
#include <poll.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <utility>

#include "agent/base/number.h"
#include "agent/base/secret.h"

namespace sidelight {
namespace {

using std::chrono::milliseconds;

// A lock that others hold delays us so long at most; what is locked is looked at another time.
constexpr const char* kLockTimeout = "500";
// How far the server's limit for a statement may be from what is left of the run before it is set again.
constexpr milliseconds kSlack{250};
// Where Debian and most others keep the certificate authorities of the system.
constexpr const char* kSystemAuthorities = "/etc/ssl/certs/ca-certificates.crt";

struct ConnectionCloser {
  void operator()(PGconn* c) const { PQfinish(c); }
};
struct ResultClearer {
  void operator()(PGresult* r) const { PQclear(r); }
};
using ConnectionPtr = std::unique_ptr<PGconn, ConnectionCloser>;
using ResultPtr = std::unique_ptr<PGresult, ResultClearer>;

void ignore_notice(void* /*unused*/, const PGresult* /*result*/) {}

const char* tls_mode(const PostgresTls& tls) {
  switch (tls.mode) {
    case PostgresTlsMode::disable:
      return "disable";
    case PostgresTlsMode::require:
      return "require";
    case PostgresTlsMode::verify_ca:
      return "verify-ca";
    case PostgresTlsMode::verify_full:
      return "verify-full";
    case PostgresTlsMode::prefer:
      return "prefer";
    case PostgresTlsMode::automatic:
      break;
  }
  return tls.ca_file.empty() ? "prefer" : "verify-full";
}

// libpq's messages have several lines, and the last one ends with a newline.
std::string one_line(const char* message) {
  std::string out;
  for (const char* c = message; *c != '\0'; ++c) {
    if (static_cast<unsigned char>(*c) < 0x20) {
      if (!out.empty() && out.back() != ' ') out += ' ';
    } else {
      out += *c;
    }
  }
  while (!out.empty() && out.back() == ' ') out.pop_back();
  if (out.size() > 600) out.resize(600);
  return out;
}

// Whether the socket became ready before the deadline.
bool wait_socket(int fd, bool write, const Deadline& deadline) {
  pollfd p{.fd = fd, .events = static_cast<short>(POLLIN | (write ? POLLOUT : 0)), .revents = 0};
  while (!deadline.passed()) {
    const auto left = std::min<std::int64_t>(deadline.left().count(), 1000);
    const int n = ::poll(&p, 1, static_cast<int>(left));
    if (n > 0) return true;
    if (n < 0 && errno != EINTR) return false;
  }
  return false;
}

}  // namespace

std::optional<double> SqlRow::number(std::size_t column) const {
  if (column >= columns_.size() || !columns_[column]) return std::nullopt;
  return parse_number(*columns_[column]);
}

struct SqlSession::State {
  const PostgresOptions& options;
  PostgresPlace place;
  std::string database;
  CollectorContext context;
  ConnectionPtr connection;
  milliseconds statement_timeout{0};  // as the server has it
  std::string sqlstate;

  Expected<void> connect(const Deadline& deadline);
  Expected<std::string> password();
  Expected<void> explain_connect_failure();
  Expected<SqlRows> run(const char* sql, const SqlParameters& parameters, const Deadline& deadline);
  Expected<void> send(const char* sql, const SqlParameters& parameters, const Deadline& deadline);
  Expected<ResultPtr> next_result(const Deadline& deadline);
  Expected<void> limit_statements(milliseconds limit, const Deadline& deadline);
  std::unexpected<Error> broken(std::string message) {
    connection.reset();
    return fail(std::move(message));
  }
  std::unexpected<Error> too_late() { return broken("no answer in time from database " + database); }
};

Expected<std::string> SqlSession::State::password() {
  if (options.password_file.empty()) return options.password;
  return read_secret(context.fs, options.password_file);
}

Expected<void> SqlSession::State::explain_connect_failure() {
  std::string message = one_line(PQerrorMessage(connection.get()));
  if (message.empty()) message = "cannot connect to " + place.host;
  if (PQconnectionNeedsPassword(connection.get()) != 0) {
    message += " (the server asks for a password: give password_file)";
  } else if (PQconnectionUsedPassword(connection.get()) != 0 && !options.password_file.empty()) {
    message += " (the password was read from " + options.password_file + ")";
  }
  return broken(std::move(message));
}

Expected<void> SqlSession::State::connect(const Deadline& deadline) {
  const auto secret = password();
  if (!secret) return std::unexpected(secret.error());
  statement_timeout = deadline.left();
  const std::string port = std::to_string(place.port);
  const std::string settings = "-c statement_timeout=" + std::to_string(statement_timeout.count()) +
                               " -c lock_timeout=" + kLockTimeout +
                               " -c default_transaction_read_only=on -c search_path=pg_catalog"
                               " -c jit=off -c max_parallel_workers_per_gather=0";
  const std::string authorities = options.tls.ca_file.empty() ? kSystemAuthorities : options.tls.ca_file;
  std::vector<const char*> keys;
  std::vector<const char*> values;
  const auto set = [&](const char* key, const char* value) {
    keys.push_back(key);
    values.push_back(value);
  };
  set("host", place.host.c_str());
  set("port", port.c_str());
  set("dbname", database.c_str());
  set("user", options.username.c_str());
  if (!secret->empty()) set("password", secret->c_str());
  set("application_name", "sidelight");
  set("client_encoding", "UTF8");
  set("options", settings.c_str());
  set("gssencmode", "disable");
  set("sslmode", tls_mode(options.tls));
  const std::string_view mode = tls_mode(options.tls);
  if (mode.starts_with("verify")) set("sslrootcert", authorities.c_str());
  if (!options.tls.certificate_file.empty()) {
    set("sslcert", options.tls.certificate_file.c_str());
    set("sslkey", options.tls.key_file.c_str());
  }
  keys.push_back(nullptr);
  values.push_back(nullptr);

  connection.reset(PQconnectStartParams(keys.data(), values.data(), 0));
  if (!connection) return fail("out of memory");
  PQsetNoticeReceiver(connection.get(), ignore_notice, nullptr);
  if (PQstatus(connection.get()) == CONNECTION_BAD) return explain_connect_failure();
  for (PostgresPollingStatusType step = PGRES_POLLING_WRITING; step != PGRES_POLLING_OK;
       step = PQconnectPoll(connection.get())) {
    if (step == PGRES_POLLING_FAILED) return explain_connect_failure();
    if (!wait_socket(PQsocket(connection.get()), step == PGRES_POLLING_WRITING, deadline))
      return broken("no answer in time from " + place.host + ":" + port + " (while connecting)");
  }
  if (PQsetnonblocking(connection.get(), 1) != 0) return explain_connect_failure();
  return {};
}

Expected<void> SqlSession::State::send(const char* sql, const SqlParameters& parameters,
                                       const Deadline& deadline) {
  std::vector<const char*> values;
  values.reserve(parameters.size());
  for (const auto& p : parameters) values.push_back(p ? p->c_str() : nullptr);
  PGconn* c = connection.get();
  if (PQsendQueryParams(c, sql, static_cast<int>(values.size()), nullptr, values.data(), nullptr, nullptr,
                        0) == 0)
    return broken(one_line(PQerrorMessage(c)));
  PQsetSingleRowMode(c);  // so that what comes is counted as it comes
  for (int more = PQflush(c); more != 0; more = PQflush(c)) {
    if (more < 0) return broken(one_line(PQerrorMessage(c)));
    if (!wait_socket(PQsocket(c), true, deadline)) return too_late();
    if (PQconsumeInput(c) == 0) return broken(one_line(PQerrorMessage(c)));
  }
  return {};
}

Expected<ResultPtr> SqlSession::State::next_result(const Deadline& deadline) {
  PGconn* c = connection.get();
  while (PQisBusy(c) != 0) {
    if (!wait_socket(PQsocket(c), false, deadline)) return too_late();
    if (PQconsumeInput(c) == 0) return broken(one_line(PQerrorMessage(c)));
  }
  return ResultPtr(PQgetResult(c));
}

Expected<SqlRows> SqlSession::State::run(const char* sql, const SqlParameters& parameters,
                                         const Deadline& deadline) {
  sqlstate.clear();
  if (auto sent = send(sql, parameters, deadline); !sent) return std::unexpected(sent.error());
  SqlRows rows;
  std::size_t bytes = 0;
  std::string error;
  while (true) {
    auto next = next_result(deadline);
    if (!next) return std::unexpected(next.error());
    const PGresult* r = next->get();
    if (r == nullptr) break;
    const ExecStatusType status = PQresultStatus(r);
    if (status == PGRES_FATAL_ERROR) {
      const char* state = PQresultErrorField(r, PG_DIAG_SQLSTATE);
      sqlstate = state == nullptr ? "" : state;
      const char* primary = PQresultErrorField(r, PG_DIAG_MESSAGE_PRIMARY);
      error = one_line(primary == nullptr ? PQresultErrorMessage(r) : primary);
      continue;
    }
    if (status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK) continue;
    if (status != PGRES_SINGLE_TUPLE) return broken("an answer of a kind that was not asked for");
    std::vector<std::optional<std::string>> columns(static_cast<std::size_t>(PQnfields(r)));
    for (int i = 0; i < PQnfields(r); ++i) {
      if (PQgetisnull(r, 0, i) != 0) continue;
      const auto length = static_cast<std::size_t>(PQgetlength(r, 0, i));
      columns[static_cast<std::size_t>(i)].emplace(PQgetvalue(r, 0, i), length);
      bytes += length;
    }
    rows.emplace_back(std::move(columns));
    if (rows.size() > kMaxRows || bytes > kMaxBytes)
      return broken("the answer is larger than anything that was asked for");
  }
  if (error.empty()) return rows;
  // Class 57P: the server is going.
  if (PQstatus(connection.get()) == CONNECTION_BAD || sqlstate.starts_with("57P")) connection.reset();
  return fail(std::move(error));
}

Expected<void> SqlSession::State::limit_statements(milliseconds limit, const Deadline& deadline) {
  if (std::chrono::abs(limit - statement_timeout) <= std::min(kSlack, limit / 10)) return {};
  statement_timeout = limit;
  auto set =
      run("select set_config('statement_timeout', $1, false)", {std::to_string(limit.count())}, deadline);
  if (!set) return std::unexpected(set.error());
  return {};
}

SqlSession::SqlSession(const PostgresOptions& options, const PostgresPlace& place, std::string database,
                       const CollectorContext& context)
    : state_(new State{options, place, std::move(database), context, nullptr, {}, {}}) {}

SqlSession::~SqlSession() = default;

Expected<SqlRows> SqlSession::query(const std::string& sql, const SqlParameters& parameters,
                                    const Deadline& deadline, milliseconds at_most) {
  State& s = *state_;
  // The second time only when a connection that was kept has been closed by the server meanwhile.
  for (bool again = false;; again = true) {
    s.sqlstate.clear();
    const bool kept = s.connection != nullptr;
    if (!kept) {
      if (auto connected = s.connect(deadline); !connected) return std::unexpected(connected.error());
    }
    Expected<SqlRows> rows;
    if (auto limited = s.limit_statements(std::min(deadline.left(), at_most), deadline); !limited) {
      rows = std::unexpected(limited.error());
    } else {
      rows = s.run(sql.c_str(), parameters, deadline);
    }
    if (rows || again || !kept || s.connection || deadline.passed()) return rows;
  }
}

const std::string& SqlSession::last_sqlstate() const {
  return state_->sqlstate;
}

const std::string& SqlSession::database() const {
  return state_->database;
}

}  // namespace sidelight
