// Fields that say where the program runs: from the environment, and from the files of a downward API volume.
#include <algorithm>

#include "agent/base/json_text.h"
#include "agent/parse/field_value.h"
#include "agent/process/event_field.h"
#include "agent/process/processor.h"
#include "agent/process/wildcard.h"

namespace sidelight {
namespace {

constexpr std::size_t kMostFileBytes = 1u << 20;
constexpr std::size_t kMostLabels = 64;

class Metadata final : public Processor {
 public:
  // A line's own value wins.
  Verdict process(Record& record, const EventContext& context, ProcessorMemory* /*memory*/,
                  std::vector<Summary>& /*summaries*/) override {
    for (const auto& [field, value] : fields_) {
      if (field.value(record, context)) continue;
      scratch_.clear();
      builder_.begin({context.zone, context.now_ns}, context.arena, scratch_);
      field.put(builder_, {Shape::text, false, value});
      builder_.finish();
      merge(scratch_, false, record);
    }
    return Verdict::keep;
  }
  void add(std::string_view name, std::string value) {
    fields_.emplace_back(EventField(name), std::move(value));
  }
  std::size_t size() const { return fields_.size(); }

 private:
  std::vector<std::pair<EventField, std::string>> fields_;
  RecordBuilder builder_;
  Record scratch_;
};

// The kubelet writes key="value" lines, values escaped as Go does it.
std::string unquoted(std::string_view s) {
  if (s.size() < 2 || s.front() != '"' || s.back() != '"') return std::string(s);
  s = s.substr(1, s.size() - 2);
  std::string out;
  for (std::size_t i = 0; i < s.size(); ++i) {
    if (s[i] != '\\' || i + 1 == s.size()) {
      out += s[i];
      continue;
    }
    ++i;
    out += s[i] == 'n' ? '\n' : s[i] == 't' ? '\t' : s[i];
  }
  return out;
}

Expected<void> add_file(const std::string& path, std::string_view prefix,
                        const std::vector<std::string>& only, FileSystem& fs, Metadata& metadata) {
  if (path.empty()) return {};
  auto text = fs.read_file(path, kMostFileBytes);
  if (!text) return fail("cannot read " + path + ": " + text.error().message, text.error().code);
  std::string_view rest = *text;
  while (!rest.empty()) {
    const std::string_view line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(line.size() + 1, rest.size()));
    const std::size_t equals = line.find('=');
    if (equals == 0 || equals == std::string_view::npos) continue;
    const std::string_view key = line.substr(0, equals);
    const auto fits = [&](const std::string& glob) { return matches_wildcard(glob, key); };
    if (std::none_of(only.begin(), only.end(), fits) || metadata.size() >= kMostLabels) continue;
    metadata.add("labels." + std::string(prefix) + repair_utf8(key), unquoted(line.substr(equals + 1)));
  }
  return {};
}

}  // namespace

Expected<ProcessorPtr> make_metadata(const MetadataOptions& options, FileSystem& fs) {
  auto metadata = std::make_unique<Metadata>();
  for (const auto& [field, value] : options.values) metadata->add(field, value);
  if (auto r = add_file(options.labels_file, "kubernetes.labels.", options.only, fs, *metadata); !r)
    return std::unexpected(r.error());
  if (auto r = add_file(options.annotations_file, "kubernetes.annotations.", options.only, fs, *metadata); !r)
    return std::unexpected(r.error());
  return metadata;
}

}  // namespace sidelight
