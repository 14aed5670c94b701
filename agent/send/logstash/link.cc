#include "agent/send/logstash/link.h"

#include <array>
#include <chrono>
#include <utility>

#include "agent/send/logstash/sender.h"

namespace sidelight {
namespace {

// How often the system is asked whether the other side's has everything (TCP).
constexpr std::chrono::milliseconds kAskEvery{2};

double seconds(Nanos n) {
  return std::chrono::duration<double>(n).count();
}

}  // namespace

Link::Link(LinkContext context, const StreamTarget& target)
    : ctx_(context), opened_at_(context.output.clock.now()) {
  last_sign_ = last_acknowledged_ = opened_at_;
  id_ = ctx_.client.open(target, *this);
}

Link::~Link() {
  ctx_.client.close(id_);
  release_wire();
}

bool Link::has_room() const {
  const std::size_t most = acknowledges() ? ctx_.options.pipelining : 1;
  return open_ && !ended_ && !writing_ && windows_.size() < most;
}

void Link::send(DocRange range) {
  Window window;
  window.range = range;
  window.count = HeldBatches::count(range);
  window.started = ctx_.output.clock.now();
  if (windows_.empty()) last_sign_ = last_acknowledged_ = window.started;
  const auto encoded = encode(window);
  window.wire_bytes = wire_.size();
  windows_.push_back(window);
  if (!encoded) return fail_with({StreamError::Kind::other, encoded.error().message}, false);
  range.held->batch->attempted = true;
  writing_ = true;
  charged_ = wire_.capacity();
  ctx_.output.budget.charge(charged_);
  ctx_.client.send(id_, wire_);
}

Expected<void> Link::encode(const Window& window) {
  wire_.clear();
  const Batch& batch = window.range.batch();
  if (!acknowledges()) {
    window.range.each([&](const Doc& d) {
      wire_ += HeldBatches::text(batch, d);
      wire_ += '\n';
    });
    return {};
  }
  ctx_.writer.begin();
  std::array<char, 64> id{};
  window.range.each([&](const Doc& d) {
    const std::size_t n = write_doc_id(id.data(), batch.spans[d.span].source->key, d.begin, d.end);
    ctx_.writer.add(HeldBatches::text(batch, d), std::string_view(id.data(), n));
  });
  return ctx_.writer.finish(wire_);
}

void Link::tend(MonoTime now) {
  if (ended_ || windows_.empty()) return;
  if (!acknowledges() && windows_.front().sent && ctx_.client.unacknowledged(id_) == 0)
    return acknowledge_front(windows_.front().count);
  if (now - last_sign_ < ctx_.options.timeout) return;
  fail_with({StreamError::Kind::timeout, "no acknowledgement and no sign of life within " +
                                             std::to_string(ctx_.options.timeout.count()) + " ms"},
            false);
}

MonoTime Link::due() const {
  if (ended_) return MonoTime::min();
  if (windows_.empty()) return MonoTime::max();
  if (!acknowledges() && windows_.front().sent) return ctx_.output.clock.now() + kAskEvery;
  return last_sign_ + ctx_.options.timeout;
}

std::size_t Link::wire_bytes() const {
  std::size_t bytes = 0;
  for (const Window& w : windows_) bytes += w.wire_bytes;
  return bytes;
}

std::vector<DocRange> Link::take_back() {
  std::vector<DocRange> ranges;
  const MonoTime now = ctx_.output.clock.now();
  for (const Window& w : windows_) {
    ctx_.output.probe.request(seconds(now - w.started), w.wire_bytes, 0);
    ranges.push_back(w.range);
    if (w.acknowledged == 0) ++ranges.back().attempts;
  }
  windows_.clear();
  return ranges;
}

void Link::on_open() {
  open_ = true;
}

void Link::on_bytes(std::string_view bytes) {
  last_sign_ = ctx_.output.clock.now();
  heard_ = true;
  if (!acknowledges()) return;  // whatever a TCP input may say
  while (!ended_) {
    const auto number = reader_.next(bytes);
    if (!number) return fail_with({StreamError::Kind::other, number.error().message}, true);
    if (!*number) return;
    on_acknowledged(**number);
  }
}

void Link::on_acknowledged(std::uint32_t number) {
  // 0 says that the server is at work; without a window a number is late and tells nothing new.
  if (number == 0 || windows_.empty()) return;
  const Window& front = windows_.front();
  if (number > front.count || !front.sent) {
    return fail_with(
        {StreamError::Kind::other, "the server acknowledges " + std::to_string(number) + " documents, but " +
                                       (front.sent ? std::to_string(front.count) : "less") + " were sent"},
        true);
  }
  acknowledge_front(number);
}

void Link::acknowledge_front(std::uint32_t number) {
  Window& front = windows_.front();
  if (number <= front.acknowledged) return;
  const std::uint32_t more = number - front.acknowledged;
  front.acknowledged = number;
  const MonoTime now = ctx_.output.clock.now();
  last_sign_ = last_acknowledged_ = now;
  acknowledged_ += more;
  const std::uint64_t bytes = ctx_.held.settle(front.range, more);
  ctx_.output.probe.shipped(more, bytes);
  if (number < front.count) return;
  ctx_.output.probe.request(seconds(now - front.started), front.wire_bytes, 200);
  windows_.pop_front();
}

void Link::on_sent(std::size_t /*n*/, bool done) {
  last_sign_ = ctx_.output.clock.now();
  if (!done) return;
  windows_.back().sent = true;
  release_wire();
}

void Link::on_closed(const StreamError& error) {
  open_ = false;
  release_wire();
  ended_ = error;
  const bool silent = acknowledges() && error.kind == StreamError::Kind::closed && !heard_;
  if (silent && !ctx_.options.tls) ended_->message += kPerhapsTls;
}

void Link::fail_with(const StreamError& error, bool bad_answer) {
  ctx_.client.close(id_);
  on_closed(error);
  bad_answer_ = bad_answer;
}

void Link::release_wire() {
  ctx_.output.budget.release(charged_);
  charged_ = 0;
  writing_ = false;
}

void Link::trim() {
  if (!writing_) wire_ = std::string();
}

}  // namespace sidelight
