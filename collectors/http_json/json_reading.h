// Values of metrics out of a JSON document.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "agent/base/error.h"
#include "collectors/framework/samples.h"
#include "collectors/http_json/json_pointer.h"
#include "collectors/http_json/options.h"

namespace sidelight {

// A metric's pointers, read.
struct JsonMetricRule {
  JsonPointer pointer;
  Labels labels;  // constant
  std::vector<std::pair<std::string, JsonLabelSource>> labels_from;
};
Expected<JsonMetricRule> make_json_rule(const JsonMetric& metric);

struct JsonReading {
  struct Series {
    Labels labels;  // sorted by name; each set of labels once
    double value = 0;
  };
  std::vector<Series> series;
  std::string problem;  // empty; or why series that should be there are not
};

// A parsed document. Immutable.
class JsonDocument {
 public:
  // An error when the text is no JSON, or is nested deeper than kMaxJsonDepth.
  static Expected<JsonDocument> parse(std::string_view text);
  ~JsonDocument();
  JsonDocument(JsonDocument&&) noexcept;
  JsonDocument& operator=(JsonDocument&&) noexcept;

  // Numbers, booleans (1 and 0) and strings that hold a number count; null is a value that is not known, and
  // says nothing.
  JsonReading read(const JsonMetricRule& rule, MetricKind kind) const;

 private:
  struct Impl;
  explicit JsonDocument(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace sidelight
