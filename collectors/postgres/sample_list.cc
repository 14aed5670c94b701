#include "collectors/postgres/sample_list.h"

#include <cmath>

#include "agent/base/label_text.h"

namespace sidelight {

void SampleList::add(const MetricInfo& info, MetricKind kind, double value, Labels labels) {
  if (!std::isfinite(value)) return;
  for (auto& label : labels) label.second = label_text(label.second);
  const auto [it, is_new] = known_.try_emplace({info.name, labels}, kept_.size());
  if (is_new) {
    kept_.push_back({&info, kind, value, std::move(labels)});
  } else {
    kept_[it->second].value += value;
  }
}

void SampleList::show(Samples& out) const {
  for (const Kept& k : kept_) {
    if (k.kind == MetricKind::counter) {
      out.counter(*k.info, k.value, k.labels);
    } else {
      out.gauge(*k.info, k.value, k.labels);
    }
  }
  for (const Advice& a : advice_) out.advise(a);
  for (const std::string& w : warnings_) out.warn(w);
}

}  // namespace sidelight
