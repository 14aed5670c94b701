#include "agent/send/file/delivery.h"

#include <algorithm>
#include <array>

namespace sidelight {

Expected<void> Delivery::deliver(Batch& batch) {
  if (auto synced = ctx_.barrier.sync_to(batch.durable_seq); !synced) {
    return fail("nothing is written while the checkpoint cannot be: " + synced.error().message,
                synced.error().code);
  }
  if (auto opened = sink_.open(); !opened) return opened;
  if (auto skipped = skip_delivered(batch); !skipped) return skipped;
  for (std::size_t i = 0; i < batch.docs.size();) {
    if (batch.docs[i].settled) {
      ++i;
    } else if (auto written = write_run(batch, i); !written) {
      return written;
    }
  }
  return {};
}

Expected<void> Delivery::skip_delivered(Batch& batch) {
  const bool any = std::any_of(batch.docs.begin(), batch.docs.end(),
                               [](const Doc& d) { return d.may_exist && !d.settled; });
  if (!any) {
    known_.reset();  // the replay is over
    return {};
  }
  if (!known_) {
    auto loaded = load_ids_();
    if (!loaded) return std::unexpected(loaded.error());
    known_ = std::move(*loaded);
  }
  std::uint64_t there = 0;
  for (std::size_t i = 0; i < batch.docs.size(); ++i) {
    const Doc& d = batch.docs[i];
    if (!d.may_exist || d.settled) continue;
    std::array<char, 64> id{};
    const std::size_t n = write_doc_id(id.data(), batch.spans[d.span].source->key, d.begin, d.end);
    if (!known_->contains(std::string_view(id.data(), n))) continue;
    batch.settle(i, ctx_.ledger);
    ++there;
  }
  if (there > 0) ctx_.probe.duplicates(there);
  return {};
}

// Writes documents from `first` on: neighbours that are not settled and fit into the file, at least one.
Expected<void> Delivery::write_run(Batch& batch, std::size_t& first) {
  const auto& docs = batch.docs;
  std::uint64_t room = sink_.room();
  if (room < docs[first].body_end - docs[first].body_begin) {
    if (auto rotated = sink_.rotate(); !rotated) return rotated;
    if (auto opened = sink_.open(); !opened) return opened;
    room = sink_.room();
  }
  const std::size_t begin = docs[first].body_begin;
  std::size_t end = docs[first].body_end;
  std::size_t last = first + 1;
  while (last < docs.size() && !docs[last].settled && docs[last].body_begin == end &&
         docs[last].body_end - begin <= room) {
    end = docs[last++].body_end;
  }
  if (auto written = sink_.write(std::string_view(batch.body).substr(begin, end - begin)); !written)
    return written;
  ctx_.probe.shipped(last - first, end - begin);
  for (; first < last; ++first) batch.settle(first, ctx_.ledger);
  return {};
}

}  // namespace sidelight
