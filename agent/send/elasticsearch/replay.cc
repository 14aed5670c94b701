#include "agent/send/elasticsearch/replay.h"

#include <algorithm>
#include <cerrno>
#include <optional>
#include <utility>
#include <vector>

#include "agent/send/elasticsearch/backoff.h"
#include "agent/send/elasticsearch/bootstrap.h"
#include "agent/send/elasticsearch/bulk_response.h"
#include "agent/send/elasticsearch/credentials.h"
#include "agent/send/elasticsearch/dead_letter_format.h"
#include "agent/send/elasticsearch/hosts.h"
#include "agent/send/elasticsearch/request_builder.h"
#include "agent/send/elasticsearch/retry_policy.h"

namespace sidelight {
namespace {

constexpr std::size_t kMostBytes = 1u << 20;
constexpr std::size_t kMostLetters = 500;
constexpr unsigned kTries = 5;
constexpr std::size_t kMostFile = 512u << 20;
constexpr std::chrono::seconds kCloseWait{4};
constexpr std::chrono::milliseconds kTick{100};
constexpr std::chrono::seconds kToldWait{2};  // shorter ones are nobody's business

struct Line {
  std::string_view text;  // with its newline
  StoredLetter letter;
  bool readable = false;
  bool delivered = false;
};

class Replay {
 public:
  Replay(FileSystem& fs, HttpClient& client, const Clock& clock, Logger& log,
         const ElasticsearchOptions& options, const std::function<void(const ReplayProgress&)>& progress)
      : fs_(fs),
        client_(client),
        clock_(clock),
        log_(log),
        options_(options),
        progress_(progress),
        backoff_(options.backoff_initial, options.backoff_max, static_cast<std::uint64_t>(clock.wall())),
        hosts_(options.hosts, backoff_),
        builder_(options),
        credentials_(options, fs, clock),
        bootstrap_(options, log, clock) {}

  Expected<ReplaySummary> run();

 private:
  struct Answer {
    std::size_t host = 0;
    MonoTime asked{};
    HttpResponse response;
  };
  // From a host's URL and the authorization.
  using MakeRequest = std::function<HttpRequest(const std::string&, const std::string&)>;

  Expected<std::vector<std::string>> files();
  void close_open_file();
  Expected<void> leave_to_owner(File& lock, const std::string& lock_path);
  Expected<void> file(const std::string& path);
  Expected<void> send(std::vector<Line*>& lines);
  Expected<Answer> ask(const MakeRequest& make);
  void heard(const Answer& answer, const RequestVerdict* trouble);
  Expected<void> prepare();
  void judge(std::vector<Line*>& lines, std::vector<Line*>& again);
  void wait_for_try(unsigned attempt);
  void pass_time(Nanos t);

  FileSystem& fs_;
  HttpClient& client_;
  const Clock& clock_;
  Logger& log_;
  const ElasticsearchOptions& options_;
  const std::function<void(const ReplayProgress&)>& progress_;
  Backoff backoff_;
  Hosts hosts_;
  RequestBuilder builder_;
  Credentials credentials_;
  Bootstrap bootstrap_;
  std::optional<std::chrono::seconds> asked_to_wait_;
  std::string trouble_;  // why the last try failed
  BulkResponseReader reader_;
  BulkAnswer answer_;
  ReplaySummary summary_;
};

void Replay::pass_time(Nanos t) {
  const MonoTime until = clock_.now() + t;
  while (clock_.now() < until) client_.run_once(kTick);
}

// The program renames its file when it sees the request; when none runs, its lock is free and we do it.
void Replay::close_open_file() {
  const std::string& dir = options_.dead_letters.dir;
  const auto open_files = [&] {
    std::vector<std::string> out;
    if (const auto entries = fs_.list(dir)) {
      for (const auto& e : *entries) {
        const auto name = parse_dead_letter_name(e.name);
        if (name && name->open) out.push_back(e.name);
      }
    }
    return out;
  };
  if (open_files().empty()) return;
  if (const auto lock = fs_.lock(dir + "/" + std::string(kWriterLock))) {
    static_cast<void>(fs_.give_to_owner_of(dir, **lock));  // run() saw that it can be done where it must
    for (const std::string& name : open_files()) {
      const std::string path = dir + "/" + name;
      static_cast<void>(fs_.rename(path, path.substr(0, path.size() - kOpenSuffix.size())));
    }
    return;
  }
  const std::string request = dir + "/" + std::string(kCloseRequest);
  if (!fs_.open(request, OpenMode::create_new)) return;
  const MonoTime until = clock_.now() + kCloseWait;
  while (fs_.stat(request) && clock_.now() < until) client_.run_once(kTick);
  summary_.open_file_left_out = fs_.stat(request).has_value();
  static_cast<void>(fs_.remove(request));
}

Expected<std::vector<std::string>> Replay::files() {
  const auto entries = fs_.list(options_.dead_letters.dir);
  if (!entries) return std::unexpected(entries.error());
  std::vector<std::string> out;
  for (const auto& e : *entries) {
    const auto name = parse_dead_letter_name(e.name);
    if (name && !name->open) out.push_back(options_.dead_letters.dir + "/" + e.name);
  }
  std::sort(out.begin(), out.end());
  return out;
}

// Asks one host and waits for its answer, whatever that says.
Expected<Replay::Answer> Replay::ask(const MakeRequest& make) {
  const auto authorization = credentials_.header();
  if (!authorization) return std::unexpected(authorization.error());
  const MonoTime asked = clock_.now();
  const auto host = hosts_.pick(asked);
  if (!host) return fail("every host is down");
  std::optional<HttpResult> result;
  client_.start(make(hosts_.url(*host), *authorization), [&result](HttpResult r) { result = std::move(r); });
  const MonoTime until = clock_.now() + options_.timeout + std::chrono::seconds(10);
  while (!result && clock_.now() < until) client_.run_once(kTick);
  if (!result) client_.cancel_all();
  if (!*result) {
    hosts_.on_failure(*host, clock_.now());
    return fail(hosts_.display(*host) + ": " + result->error().message);
  }
  return Answer{*host, asked, std::move(**result)};
}

// What the answer means for the next try.
void Replay::heard(const Answer& answer, const RequestVerdict* trouble) {
  const auto retry_after = trouble ? retry_after_of(answer.response, clock_.wall()) : std::nullopt;
  asked_to_wait_.reset();
  if (trouble && trouble->host_fault) {
    hosts_.on_failure(answer.host, clock_.now(), retry_after);
  } else {
    hosts_.on_answer(answer.host, answer.asked);
    asked_to_wait_ = retry_after;
  }
  if (trouble && trouble->renew_credentials) credentials_.renew();
}

void Replay::wait_for_try(unsigned attempt) {
  const MonoTime chance = hosts_.next_chance();
  const MonoTime now = clock_.now();
  const Nanos for_host = chance > now && chance != MonoTime::max() ? chance - now : Nanos(0);
  const Nanos wait = std::max(backoff_.wait(attempt, asked_to_wait_), for_host);
  if (wait >= kToldWait)
    log_.info("replay.waits", "waiting " +
                                  std::to_string(std::chrono::ceil<std::chrono::seconds>(wait).count()) +
                                  " s before the next try: " + trouble_);
  pass_time(wait);
}

// The index template is there before documents are, and the data stream is one.
Expected<void> Replay::prepare() {
  for (unsigned attempt = 0; !bootstrap_.done() && attempt < kTries;) {
    if (attempt > 0) wait_for_try(attempt);
    const auto question = bootstrap_.next(clock_.now());
    if (!question || bootstrap_.blocked())
      return fail("nothing was sent: " + options_.data_stream + " is not a data stream");
    const auto answer = ask([&](const std::string& url, const std::string& authorization) {
      HttpRequest request = builder_.make(url, question->method, question->path, authorization);
      if (!question->body.empty()) request.headers.emplace_back("Content-Type", "application/json");
      request.body = question->body;
      return request;
    });
    if (!answer) {
      trouble_ = answer.error().message;
      ++attempt;
      continue;
    }
    const auto wrong = bootstrap_.on_answer(answer->response);
    heard(*answer, wrong ? &wrong->verdict : nullptr);
    if (wrong) trouble_ = wrong->detail;
    attempt = wrong ? attempt + 1 : 0;
  }
  if (!bootstrap_.done()) return fail("nothing was sent: " + trouble_);
  return {};
}

void Replay::judge(std::vector<Line*>& lines, std::vector<Line*>& again) {
  using Action = ItemVerdict::Action;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    const BulkItemError* error = answer_.error_of(i);
    const ItemVerdict v = judge_item(answer_.status[i], error ? error->type : "", error ? error->reason : "",
                                     error ? error->causes : "");
    if (v.action == Action::delivered || v.action == Action::already_there) {
      lines[i]->delivered = true;
      ++summary_.delivered;
    } else if (v.action == Action::retry) {
      again.push_back(lines[i]);
    } else {
      ++summary_.refused;
      if (error) summary_.last_refusal = error->type + ": " + error->reason;
    }
  }
}

Expected<void> Replay::send(std::vector<Line*>& lines) {
  for (unsigned attempt = 0; attempt < kTries && !lines.empty(); ++attempt) {
    if (attempt > 0) wait_for_try(attempt);
    std::string body;
    for (const Line* l : lines) {
      body.append(l->letter.action).append("\n").append(l->letter.document).append("\n");
    }
    auto answer = ask([&](const std::string& url, const std::string& authorization) {
      return builder_.bulk(url, authorization, body, false, false);
    });
    if (!answer) {
      trouble_ = answer.error().message;
      continue;
    }
    HttpResponse& response = answer->response;
    const bool is_error = response.status < 200 || response.status > 299;
    const ErrorAnswer error = is_error ? read_error_answer(response.body) : ErrorAnswer();
    const RequestVerdict verdict = judge_answer(response.status, error.type, error.reason);
    heard(*answer, is_error ? &verdict : nullptr);
    if (verdict.action == RequestVerdict::Action::split || verdict.action == RequestVerdict::Action::bisect) {
      if (lines.size() == 1) {
        ++summary_.refused;
        summary_.last_refusal = describe(response, error);
        lines.clear();
        return {};
      }
      const auto middle = lines.begin() + static_cast<std::ptrdiff_t>(lines.size() / 2);
      std::vector<Line*> first(lines.begin(), middle);
      std::vector<Line*> second(middle, lines.end());
      if (auto sent = send(first); !sent) return sent;
      return send(second);
    }
    if (is_error) {
      trouble_ = describe(response, error);
      continue;
    }
    if (auto read = reader_.read(response.body, lines.size(), answer_); !read) {
      trouble_ = read.error().message;
      continue;
    }
    std::vector<Line*> again;
    judge(lines, again);
    if (!again.empty()) trouble_ = "the destination is overloaded";
    lines = std::move(again);
  }
  if (!lines.empty()) return fail("the dead letters that remain were not sent: " + trouble_);
  return {};
}

Expected<void> Replay::file(const std::string& path) {
  const auto content = fs_.read_file(path, kMostFile);
  if (!content) return std::unexpected(content.error());
  ++summary_.files;
  std::vector<Line> lines;
  for (std::size_t at = 0; at < content->size();) {
    const auto nl = content->find('\n', at);
    const std::size_t end = nl == std::string::npos ? content->size() : nl + 1;
    Line line;
    line.text = std::string_view(*content).substr(at, end - at);
    if (nl != std::string::npos) {
      if (auto letter = read_dead_letter(line.text.substr(0, line.text.size() - 1))) {
        line.letter = std::move(*letter);
        line.readable = true;
      }
    }
    // A torn line was never counted as kept: the document behind it was sent or written again.
    if (nl != std::string::npos) lines.push_back(std::move(line));
    at = end;
  }
  Expected<void> sent;
  std::vector<Line*> group;
  std::size_t bytes = 0;
  const auto flush = [&] {
    const std::uint64_t before = summary_.delivered + summary_.refused;
    sent = send(group);
    group.clear();
    bytes = 0;
    if (summary_.delivered + summary_.refused > before) {
      progress_({path, summary_.delivered + summary_.refused, summary_.refused});
    }
  };
  for (Line& l : lines) {
    if (!l.readable) {
      if (summary_.unreadable++ == 0)
        summary_.first_unreadable = path + ":" + std::to_string(&l - lines.data() + 1);
      continue;
    }
    group.push_back(&l);
    bytes += l.letter.document.size() + l.letter.action.size();
    if (bytes >= kMostBytes || group.size() >= kMostLetters) flush();
    if (!sent) break;
  }
  if (sent && !group.empty()) flush();
  std::string remaining;
  for (const Line& l : lines) {
    if (!l.delivered) remaining.append(l.text);
  }
  if (remaining.size() == content->size()) return sent;
  const auto rewritten = remaining.empty() ? fs_.remove(path) : fs_.write_atomically(path, remaining);
  if (!rewritten) return rewritten;
  return sent;
}

// An operator replays as root, the program runs as somebody else: files that stay root's it could not read
// again. A member of the folder's group, who may not give files away, made none that keep the owner out.
Expected<void> Replay::leave_to_owner(File& lock, const std::string& lock_path) {
  const std::string& dir = options_.dead_letters.dir;
  auto given = fs_.give_to_owner_of(dir, lock);
  if (given || given.error().code != EPERM) return given;
  const auto st = lock.stat();
  if (!st || st->uid != 0) return {};
  static_cast<void>(fs_.remove(lock_path));
  return fail("the files of a replay would stay root's: " + with_rights(fs_, dir, given.error()).message +
                  "; run it as the owner",
              EPERM);
}

Expected<ReplaySummary> Replay::run() {
  const std::string& dir = options_.dead_letters.dir;
  const auto unusable = [&](const Error& e) {
    const Error full = with_rights(fs_, dir, e);
    return fail("the dead letters cannot be read: " + full.message, full.code);
  };
  if (const auto st = fs_.stat(dir); !st) {
    if (st.error().code == ENOENT) return summary_;  // nothing was ever refused
    return unusable(st.error());
  }
  const std::string lock_path = dir + "/" + std::string(kReplayLock);
  const auto lock = fs_.lock(lock_path);
  if (!lock && lock.error().code == EWOULDBLOCK)
    return fail("another replay of " + dir + " is running: " + lock.error().message, lock.error().code);
  if (!lock) return unusable(lock.error());
  if (const auto owned = leave_to_owner(**lock, lock_path); !owned) return std::unexpected(owned.error());
  close_open_file();
  const auto paths = files();
  if (!paths) return unusable(paths.error());
  if (paths->empty()) return summary_;
  if (const auto prepared = prepare(); !prepared) return std::unexpected(prepared.error());
  for (const std::string& path : *paths) {
    if (auto replayed = file(path); !replayed) return std::unexpected(replayed.error());
  }
  return summary_;
}

}  // namespace

Expected<ReplaySummary> replay_dead_letters(FileSystem& fs, HttpClient& client, const Clock& clock,
                                            Logger& log, const ElasticsearchOptions& options,
                                            const std::function<void(const ReplayProgress&)>& progress) {
  return Replay(fs, client, clock, log, options, progress).run();
}

}  // namespace sidelight
