#include "collectors/rabbitmq/detailed_metrics.h"

#include <charconv>
#include <cmath>

namespace sidelight::rabbitmq {
namespace {

constexpr std::string_view kPrefix = "rabbitmq_detailed_";
constexpr std::string_view kType = "# TYPE ";

// One line with a sample, taken apart from left to right.
class SampleLine {
 public:
  explicit SampleLine(std::string_view line) : rest_(line) {}

  bool parse() {
    name = word();
    if (name.empty()) return false;
    if (taken('{') && !parse_labels()) return false;
    while (taken(' ')) {
    }
    double v = 0;
    const auto [end, error] = std::from_chars(rest_.data(), rest_.data() + rest_.size(), v);
    if (error != std::errc() || (end != rest_.data() + rest_.size() && *end != ' ')) return false;
    value = v;
    return true;
  }

  const std::string* label(std::string_view key) const {
    for (const auto& [name_of_label, text] : labels) {
      if (name_of_label == key) return &text;
    }
    return nullptr;
  }

  std::string_view name;
  double value = 0;
  std::vector<std::pair<std::string_view, std::string>> labels;

 private:
  bool taken(char c) {
    if (rest_.empty() || rest_.front() != c) return false;
    rest_.remove_prefix(1);
    return true;
  }
  std::string_view word() {
    std::size_t n = 0;
    while (n < rest_.size() &&
           (std::isalnum(static_cast<unsigned char>(rest_[n])) != 0 || rest_[n] == '_' || rest_[n] == ':'))
      ++n;
    const auto out = rest_.substr(0, n);
    rest_.remove_prefix(n);
    return out;
  }
  bool parse_labels() {
    while (!taken('}')) {
      const auto key = word();
      if (key.empty() || !taken('=') || !taken('"')) return false;
      std::string text;
      while (!taken('"')) {
        if (rest_.empty()) return false;
        char c = rest_.front();
        rest_.remove_prefix(1);
        if (c == '\\') {
          if (rest_.empty()) return false;
          c = rest_.front() == 'n' ? '\n' : rest_.front();
          rest_.remove_prefix(1);
        }
        text += c;
      }
      labels.emplace_back(key, std::move(text));
      taken(',');
    }
    return true;
  }

  std::string_view rest_;
};

std::optional<double>* queue_value(std::string_view name, DetailedQueue& queue) {
  if (name == "queue_messages_ready") return &queue.ready;
  if (name == "queue_messages_unacked") return &queue.unacked;
  if (name == "queue_consumers") return &queue.consumers;
  if (name == "queue_process_reductions_total") return &queue.reductions;
  return nullptr;
}

std::optional<double>* node_value(std::string_view name, NodeFacts& node) {
  if (name == "process_resident_memory_bytes") return &node.memory_used;
  if (name == "resident_memory_limit_bytes") return &node.memory_limit;
  if (name == "disk_space_available_bytes") return &node.disk_free;
  if (name == "disk_space_available_limit_bytes") return &node.disk_limit;
  if (name == "erlang_uptime_seconds") return &node.uptime_seconds;
  return nullptr;
}

void read_queue_sample(const SampleLine& line, std::string_view name, const NameFilter& filter,
                       std::size_t most_queues, DetailedAnswer& answer) {
  DetailedQueue probe;
  const std::string* vhost = line.label("vhost");
  const std::string* queue = line.label("queue");
  if (queue_value(name, probe) == nullptr || vhost == nullptr || queue == nullptr || !filter.matches(*queue))
    return;
  auto it = answer.queues.find({*vhost, *queue});
  if (it == answer.queues.end()) {
    if (answer.queues.size() >= most_queues) {
      answer.too_many = true;
      return;
    }
    it = answer.queues.try_emplace({*vhost, *queue}).first;
  }
  *queue_value(name, it->second) = line.value;
}

void read_line(std::string_view text, const NameFilter& filter, std::size_t most_queues,
               DetailedAnswer& answer, bool& rabbitmq) {
  if (text.starts_with(kType)) {
    text.remove_prefix(kType.size());
    answer.knows_depth |= text.starts_with("rabbitmq_detailed_queue_messages_ready ");
    answer.knows_consumers |= text.starts_with("rabbitmq_detailed_queue_consumers ");
    return;
  }
  if (text.starts_with('#')) return;
  SampleLine line(text);
  if (!line.parse()) return;
  if (line.name == "rabbitmq_build_info") {
    rabbitmq = true;
    if (const auto* version = line.label("rabbitmq_version")) answer.version = *version;
  }
  if (line.name == "rabbitmq_identity_info") {
    if (const auto* node = line.label("rabbitmq_node")) answer.node.name = *node;
  }
  if (!line.name.starts_with(kPrefix) || !std::isfinite(line.value) || line.value < 0) return;
  const auto name = line.name.substr(kPrefix.size());
  if (auto* value = node_value(name, answer.node); value != nullptr && line.labels.empty())
    *value = line.value;
  else
    read_queue_sample(line, name, filter, most_queues, answer);
}

}  // namespace

const char* const kDetailedFamilies =
    "family=queue_coarse_metrics&family=queue_consumer_count&family=node_coarse_metrics&family=node_metrics";

Expected<DetailedAnswer> read_detailed(std::string_view page, const NameFilter& filter,
                                       std::size_t most_queues) {
  DetailedAnswer answer;
  bool rabbitmq = false;
  while (!page.empty()) {
    const std::size_t end = page.find('\n');
    read_line(page.substr(0, end), filter, most_queues, answer, rabbitmq);
    page.remove_prefix(end == std::string_view::npos ? page.size() : end + 1);
  }
  if (!rabbitmq) return fail("the answer is no page of the plugin rabbitmq_prometheus");
  answer.node.running = true;
  return answer;
}

}  // namespace sidelight::rabbitmq
