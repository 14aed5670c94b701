#include "collectors/http_json/json_reading.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <set>
#include <utility>

#include "agent/base/label_text.h"
#include "agent/base/number.h"
#include "collectors/framework/bounded_json.h"

namespace sidelight {
namespace {

using Json = nlohmann::json;
using Segments = std::vector<JsonPointer::Segment>;

// RFC 6901, section 4: indices have no leading zeros.
const Json* element(const Json& array, const std::string& name) {
  std::size_t index = 0;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), index);
  if (error != std::errc() || end != name.data() + name.size() || (name.size() > 1 && name[0] == '0'))
    return nullptr;
  return index < array.size() ? &array[index] : nullptr;
}

const Json* child(const Json& parent, const std::string& name) {
  if (parent.is_array()) return element(parent, name);
  if (!parent.is_object()) return nullptr;
  const auto it = parent.find(name);
  return it == parent.end() ? nullptr : &*it;
}

const Json* find(const Json& from, const Segments& path) {
  const Json* at = &from;
  for (const auto& segment : path) {
    at = child(*at, segment.name);
    if (at == nullptr) return nullptr;
  }
  return at;
}

std::optional<double> number(const Json& value) {
  if (value.is_number()) return value.get<double>();
  if (value.is_boolean()) return value.get<bool>() ? 1 : 0;
  if (value.is_string()) return parse_number(value.get_ref<const std::string&>());
  return std::nullopt;
}

std::optional<std::string> label(const Json* value) {
  if (value == nullptr || value->is_structured() || value->is_null()) return std::nullopt;
  return label_text(value->is_string() ? value->get_ref<const std::string&>() : value->dump());
}

// One walk through a document for one metric.
class Walk {
 public:
  Walk(const JsonMetricRule& rule, MetricKind kind) : rule_(rule), kind_(kind) {}

  JsonReading run(const Json& document) {
    follow(document, document, 0);
    if (missing_ > 0) note(missing_, "nothing is at its pointer");
    if (unusable_ > 0)
      note(unusable_,
           kind_ == MetricKind::counter ? "no number, or a negative one, is there" : "no number is there");
    if (unlabelled_ > 0) note(unlabelled_, "a label has no value");
    if (repeated_ > 0) note(repeated_, "its labels are those of an earlier one");
    return std::move(out_);
  }

 private:
  // `anchor` is what the last `*` stands for; labels are looked up from there.
  void follow(const Json& at, const Json& anchor, std::size_t depth) {
    if (depth == rule_.pointer.segments.size()) return take(at, anchor);
    const auto& segment = rule_.pointer.segments[depth];
    if (!segment.each) {
      const Json* const next = child(at, segment.name);
      if (next == nullptr) {
        ++missing_;
      } else {
        follow(*next, anchor, depth + 1);
      }
      return;
    }
    if (!at.is_structured()) {
      ++missing_;
      return;
    }
    for (auto it = at.begin(); it != at.end(); ++it) {
      keys_.push_back(at.is_object() ? it.key() : std::to_string(it - at.begin()));
      follow(*it, *it, depth + 1);
      keys_.pop_back();
    }
  }

  void take(const Json& value, const Json& anchor) {
    if (value.is_null()) return;
    const auto n = number(value);
    if (!n || (kind_ == MetricKind::counter && *n < 0)) {
      ++unusable_;
      return;
    }
    Labels labels = rule_.labels;
    for (const auto& [name, source] : rule_.labels_from) {
      auto text = source.key > 0 ? std::optional(label_text(keys_[source.key - 1]))
                                 : label(find(anchor, source.pointer.segments));
      if (!text) {
        ++unlabelled_;
        return;
      }
      labels.emplace_back(name, std::move(*text));
    }
    std::sort(labels.begin(), labels.end());
    if (!seen_.insert(labels).second) {
      ++repeated_;
      return;
    }
    out_.series.push_back({std::move(labels), *n});
  }

  void note(std::size_t times, const char* what) {
    if (!out_.problem.empty()) out_.problem += "; ";
    out_.problem += what;
    if (times > 1) out_.problem += " (" + std::to_string(times) + " times)";
  }

  const JsonMetricRule& rule_;
  MetricKind kind_;
  std::vector<std::string> keys_;
  std::set<Labels> seen_;
  std::size_t missing_ = 0;
  std::size_t unusable_ = 0;
  std::size_t unlabelled_ = 0;
  std::size_t repeated_ = 0;
  JsonReading out_;
};

}  // namespace

struct JsonDocument::Impl {
  Json root;
};

JsonDocument::JsonDocument(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
JsonDocument::~JsonDocument() = default;
JsonDocument::JsonDocument(JsonDocument&&) noexcept = default;
JsonDocument& JsonDocument::operator=(JsonDocument&&) noexcept = default;

Expected<JsonDocument> JsonDocument::parse(std::string_view text) {
  auto root = parse_bounded_json(text);
  if (!root) return std::unexpected(root.error());
  return JsonDocument(std::make_unique<Impl>(Impl{std::move(*root)}));
}

JsonReading JsonDocument::read(const JsonMetricRule& rule, MetricKind kind) const {
  return Walk(rule, kind).run(impl_->root);
}

Expected<JsonMetricRule> make_json_rule(const JsonMetric& metric) {
  JsonMetricRule out;
  auto pointer = parse_json_pointer(metric.pointer);
  if (!pointer) return std::unexpected(pointer.error());
  out.pointer = std::move(*pointer);
  out.labels = metric.labels;
  for (const auto& [name, text] : metric.labels_from) {
    auto source = parse_label_source(text, out.pointer.each());
    if (!source) return fail("label " + name + ": " + source.error().message);
    out.labels_from.emplace_back(name, std::move(*source));
  }
  return out;
}

}  // namespace sidelight
