// What is made sure of before the first document goes out: the index template is there and, where it is our
// own, makes what is configured; and the data stream is one.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "agent/base/clock.h"
#include "agent/base/http_client.h"
#include "agent/base/log.h"
#include "agent/send/elasticsearch/index_template.h"
#include "agent/send/elasticsearch/options.h"
#include "agent/send/elasticsearch/retry_policy.h"

namespace sidelight {

// A pure state machine: it says what to ask, and is told the answers. One thread.
class Bootstrap {
 public:
  Bootstrap(const ElasticsearchOptions& options, Logger& log, const Clock& clock);

  // Documents may be sent.
  bool done() const { return state_ == State::done; }
  // The data stream is a plain index: nothing may be sent until somebody mends that.
  bool blocked() const { return blocked_; }
  struct Question {
    std::string method;
    std::string path;
    std::string body;
  };
  // What to ask now; nothing when done or when it is too early (see next_at()).
  std::optional<Question> next(MonoTime now) const;
  MonoTime next_at() const { return not_before_; }
  // The answer to the last question. Absent: go on. Else back off and ask again.
  struct Trouble {
    RequestVerdict verdict;
    std::string detail;
  };
  std::optional<Trouble> on_answer(const HttpResponse& answer);
  // The destination was away, and may come back empty: another one, or one whose disk is new.
  void look_again();
  // A bulk answer named an index that shows that the data stream is none.
  void found_plain_index(std::string_view index);

 private:
  enum class State { look_for_template, put_template, look_at_stream, done };
  std::optional<Trouble> on_template(const HttpResponse& answer);
  std::optional<Trouble> on_put(const HttpResponse& answer);
  std::optional<Trouble> on_stream(const HttpResponse& answer);
  void on_template_found(TemplateFit fit);
  void begin();
  void after_template();
  std::string what_is_configured() const;  // "index NAME" or "data_stream NAME"
  void block(const std::string& why);

  const ElasticsearchOptions& options_;
  Logger& log_;
  const Clock& clock_;
  State state_ = State::look_for_template;
  TemplateDialect dialect_;
  bool blocked_ = false;
  bool template_fits_ = false;  // it was seen to make what is configured, or made to
  MonoTime not_before_{MonoTime::min()};
};

// Whether an index name as a bulk answer gives it is a backing index of a data stream.
bool is_backing_index(std::string_view index);

}  // namespace sidelight
