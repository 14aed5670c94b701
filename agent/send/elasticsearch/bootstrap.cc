#include "agent/send/elasticsearch/bootstrap.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "agent/send/elasticsearch/bulk_response.h"
#include "agent/send/elasticsearch/request_builder.h"

namespace sidelight {
namespace {

constexpr std::chrono::seconds kLookAgain{30};

bool has(std::string_view s, std::string_view part) {
  return s.find(part) != std::string_view::npos;
}

bool is_success(long status) {
  return status >= 200 && status < 300;
}

}  // namespace

bool is_backing_index(std::string_view index) {
  return has(index, ".ds-") || has(index, ".fs-");
}

Bootstrap::Bootstrap(const ElasticsearchOptions& options, Logger& log, const Clock& clock)
    : options_(options), log_(log), clock_(clock) {
  begin();
}

void Bootstrap::begin() {
  if (options_.create_template) {
    state_ = State::look_for_template;
  } else {
    after_template();
  }
}

void Bootstrap::look_again() {
  if (state_ == State::done) begin();
}

void Bootstrap::after_template() {
  state_ = options_.data_stream.empty() ? State::done : State::look_at_stream;
}

std::optional<Bootstrap::Question> Bootstrap::next(MonoTime now) const {
  if (now < not_before_) return std::nullopt;
  switch (state_) {
    case State::look_for_template:
      // All but its long part. (Naming the rest would leave out `"data_stream": {}`: nothing in it.)
      return Question{"GET",
                      "/_index_template/" + percent_encode(template_name(options_)) +
                          "?filter_path=-index_templates.index_template.template",
                      ""};
    case State::put_template:
      return Question{"PUT", "/_index_template/" + percent_encode(template_name(options_)),
                      index_template(options_, dialect_)};
    case State::look_at_stream:
      return Question{"GET",
                      "/" + percent_encode(options_.data_stream) + "?filter_path=*.settings.index.uuid", ""};
    case State::done:
      break;
  }
  return std::nullopt;
}

std::optional<Bootstrap::Trouble> Bootstrap::on_answer(const HttpResponse& answer) {
  switch (state_) {
    case State::look_for_template:
      return on_template(answer);
    case State::put_template:
      return on_put(answer);
    case State::look_at_stream:
      return on_stream(answer);
    case State::done:
      break;
  }
  return std::nullopt;
}

namespace {

Bootstrap::Trouble trouble(const HttpResponse& answer, const std::string& doing) {
  const ErrorAnswer error = read_error_answer(answer.body);
  RequestVerdict verdict = judge_answer(answer.status, error.type, error.reason);
  if (verdict.cause.empty()) verdict.cause = cause::kBadAnswer;
  return {verdict,
          doing + ": HTTP " + std::to_string(answer.status) + " " + error.type + ": " + error.reason};
}

// A success that is none: something else answers there.
Bootstrap::Trouble not_the_answer(const std::string& doing) {
  RequestVerdict verdict;
  verdict.cause = cause::kBadAnswer;
  verdict.host_fault = true;
  return {verdict, doing + ": the answer is none of Elasticsearch's or OpenSearch's"};
}

bool is_acknowledged(const std::string& body) {
  const auto json = nlohmann::json::parse(body, nullptr, false);
  return json.is_object() && json.value("acknowledged", nlohmann::json()) == true;
}

}  // namespace

std::optional<Bootstrap::Trouble> Bootstrap::on_template(const HttpResponse& answer) {
  if (is_success(answer.status)) {
    const TemplateFit fit = judge_template(answer.body, options_);
    if (fit == TemplateFit::not_told) return not_the_answer("looking for the index template");
    on_template_found(fit);
  } else if (answer.status == 404) {
    state_ = State::put_template;
  } else if (answer.status == 403) {
    // A key that may only write documents is good practice; somebody else takes care of the template then.
    log_.warn("send.template", "we may not look at index templates (403); taking it that one fits " +
                                   template_pattern(options_) +
                                   " (create_template: false says so without this warning)");
    after_template();
  } else {
    return trouble(answer, "looking for the index template");
  }
  return std::nullopt;
}

void Bootstrap::on_template_found(TemplateFit fit) {
  const bool stream = !options_.data_stream.empty();
  const std::string name = template_name(options_);
  template_fits_ = fit == TemplateFit::fits || fit == TemplateFit::foreign;
  switch (fit) {
    case TemplateFit::outdated:
      log_.warn("send.template",
                "the index template " + name +
                    " was made by Sidelight for another configuration; writing it again for " +
                    what_is_configured() + " (what was changed in it by hand is gone)");
      state_ = State::put_template;
      return;
    case TemplateFit::foreign_unfit:
      log_.warn("send.template", "the index template " + name +
                                     " is not Sidelight's (its _meta says so) and makes " +
                                     (stream ? "plain indices" : "data streams") + ", but " +
                                     what_is_configured() + " is configured; leaving it alone. " +
                                     (stream ? "Give it a `data_stream`" : "Take its `data_stream` away") +
                                     ", or delete it, and Sidelight makes its own at its next start");
      break;
    case TemplateFit::not_told:
    case TemplateFit::fits:
    case TemplateFit::foreign:
      break;
  }
  after_template();
}

std::string Bootstrap::what_is_configured() const {
  return options_.data_stream.empty() ? "index " + options_.index : "data_stream " + options_.data_stream;
}

std::optional<Bootstrap::Trouble> Bootstrap::on_put(const HttpResponse& answer) {
  if (is_success(answer.status)) {
    if (!is_acknowledged(answer.body))
      return not_the_answer("making the index template " + template_name(options_));
    log_.info("send.template", "made the index template " + template_name(options_));
    template_fits_ = true;
    after_template();
    return std::nullopt;
  }
  const ErrorAnswer error = read_error_answer(answer.body);
  if (answer.status == 400 && dialect_.adapt(error.reason)) return std::nullopt;
  if (answer.status == 400 && has(error.reason, "same priority")) {
    log_.info("send.template",
              "another index template fits " + template_pattern(options_) + " already; leaving it alone");
    after_template();
    return std::nullopt;
  }
  if (answer.status == 403 || (answer.status == 400 && options_.data_stream.empty())) {
    log_.warn("send.template", "cannot make the index template " + template_name(options_) + ": HTTP " +
                                   std::to_string(answer.status) + " " + error.reason +
                                   (has(error.reason, "no longer match a data stream")
                                        ? "; documents go on into that data stream until it is deleted, or "
                                          "`index` has another name"
                                        : ""));
    after_template();
    return std::nullopt;
  }
  return trouble(answer, "making the index template " + template_name(options_));
}

std::optional<Bootstrap::Trouble> Bootstrap::on_stream(const HttpResponse& answer) {
  if (answer.status == 404 ||
      answer.status == 403) {  // not there yet, or not ours to see: bulk answers will tell
    blocked_ = false;
    state_ = State::done;
    return std::nullopt;
  }
  if (!is_success(answer.status)) return trouble(answer, "looking at " + options_.data_stream);
  const auto body = nlohmann::json::parse(answer.body, nullptr, false);
  if (!body.is_object()) return not_the_answer("looking at " + options_.data_stream);
  bool backing = body.empty();
  for (const auto& [name, value] : body.items()) backing = backing || is_backing_index(name);
  if (!backing) {
    block("it is the plain index " + body.begin().key());
    return std::nullopt;
  }
  if (blocked_)
    log_.info("send.not_a_data_stream", options_.data_stream + " is a data stream now; sending again");
  blocked_ = false;
  state_ = State::done;
  return std::nullopt;
}

void Bootstrap::found_plain_index(std::string_view index) {
  block("documents went to the plain index " + std::string(index));
}

void Bootstrap::block(const std::string& why) {
  log_.error("send.not_a_data_stream",
             options_.data_stream + " is not a data stream: " + why +
                 ". Sending stops. Move its documents elsewhere (_reindex) and "
                 "delete that index, or configure `index` in place of "
                 "`data_stream`; looking again every 30 s" +
                 (template_fits_ ? ""
                                 : ". Before you delete it, see that an index "
                                   "template with `data_stream` fits the name, or it "
                                   "will be a plain index again"));
  blocked_ = true;
  // The template may have been missing; it is looked for again as well.
  state_ =
      options_.create_template && state_ == State::done ? State::look_for_template : State::look_at_stream;
  not_before_ = clock_.now() + kLookAgain;
}

}  // namespace sidelight
