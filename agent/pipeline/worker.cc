#include "agent/pipeline/worker.h"

#include <algorithm>

namespace sidelight {
namespace {

constexpr std::size_t kLeastWindow = 16 * 1024;
constexpr std::size_t kManyEvents =
    4096;  // in one window: read less at a time, so that a batch stays near its size
constexpr std::size_t kGrowthSlack = 4 * 1024;  // read a little more than the last look saw
constexpr std::size_t kReadsATurn = 64;
// Under steady writing, news are let to gather this long: one look at a thousand lines instead of a thousand
// looks.
constexpr std::chrono::milliseconds kLeastTurn{10};
constexpr std::size_t kTemplatesKept = 512;  // a few KiB each; making one costs a few microseconds
constexpr std::chrono::milliseconds kFinishQuiet{500};

}  // namespace

Worker::Worker(WorkerContext context, WorkerOptions options, std::vector<WorkerInput> inputs,
               std::vector<TailOptions> tails, TailLimits limits, std::set<std::string> never)
    : ctx_(context), options_(options), inputs_(std::move(inputs)) {
  tailer_ = std::make_unique<Tailer>(
      TailerContext{ctx_.fs, ctx_.notifier, ctx_.clock, ctx_.log, ctx_.tail_probe, *this}, std::move(tails),
      limits, std::move(never));
}

Worker::~Worker() {
  if (batch_) ctx_.batches.recycle(std::move(batch_));
}

void Worker::set_output(Output& output, std::unique_ptr<Encoder> encoder) {
  output_ = &output;
  encoder_ = std::move(encoder);
}

void Worker::restore() {
  std::vector<SavedFile> saved;
  for (auto& s : ctx_.store.states()) {
    const auto low = std::min(s.lane[0], s.lane[1]);
    saved.push_back({s.key, s.path, s.real, s.dev, s.inode, s.birth_ns, s.size, Mark{s.head_len, s.head_hash},
                     low, Mark{s.tail_len, s.tail_hash}, s.finished});
    restoring_.emplace(s.key, std::move(s));
  }
  tailer_->restore(saved, ctx_.store.loaded_saved_at_ns(), ctx_.store.first_start());
  // What found no file again is not needed any more.
  for (const auto& [key, state] : restoring_) ctx_.store.forget(key);
  restoring_.clear();
  // From now on there is a checkpoint: the next start is not the first one, even if nothing is read until
  // then.
  if (auto r = ctx_.store.sync_all(); !r) ctx_.log.error("checkpoint.write", r.error().message);
  next_checkpoint_ = ctx_.clock.now();
}

void Worker::on_new(TailedFile& file, bool restored) {
  auto stream = std::make_unique<Stream>();
  Stream& s = *stream;
  s.id = next_stream_++;
  s.file = &file;
  s.window = ctx_.chunks.standard_size() - kTailBytes;
  s.source = std::make_shared<const Source>(Source{file.input, file.path, file.key});
  s.position.lane.fill(file.read_to);
  if (const auto it = restoring_.find(file.key); restored && it != restoring_.end()) {
    CheckpointState& c = it->second;
    s.position.lane = c.lane;
    s.position.unpack_state(c.frame_state);
    s.cuts = std::move(c.cuts);
    s.time_marks = std::move(c.time_marks);
    s.carry = std::move(c.carry);
    s.carry_from = std::move(c.carry_from);
    s.replay_until = file.seen.size;
    s.unsaved = false;
    restoring_.erase(it);
  }
  s.committed = {s.position, file.tail};
  s.drained_at = ctx_.clock.now();
  file.user = &s;
  if (s.unsaved) unsaved_.insert(&s);
  active_.insert(&s);
  ctx_.ledger.add_stream(s.id);
  streams_.emplace(s.id, std::move(stream));
}

void Worker::on_gone(TailedFile& file) {
  Stream& s = stream_of(file);
  ctx_.store.forget(file.key);
  ctx_.ledger.remove_stream(s.id);
  unsaved_.erase(&s);
  open_tails_.erase(&s);
  active_.erase(&s);
  streams_.erase(s.id);
}

bool Worker::turn(std::chrono::milliseconds max_wait) {
  MonoTime now = ctx_.clock.now();
  if (!ctx_.budget.has_room()) {
    tailer_->rest(std::min(max_wait, std::chrono::milliseconds(100)));  // a batch that comes back wakes us
    max_wait = std::chrono::milliseconds(0);
  } else if (now - last_turn_ < kLeastTurn && !tailer_->has_ready()) {
    tailer_->rest(std::min(max_wait, kLeastTurn));
  }
  tailer_->update(std::min(max_wait, time_to_next(ctx_.clock.now())));
  last_turn_ = ctx_.clock.now();
  const bool read = read_some();
  now = ctx_.clock.now();
  check_tails(now);
  seal_if_due(now);
  if (now >= next_checkpoint_) checkpoint();
  return read;
}

bool Worker::read_some() {
  const auto passed_over = paused();
  bool read = false;
  for (std::size_t i = 0; i < kReadsATurn; ++i) {
    if (!ctx_.budget.has_room()) {
      seal();  // what is gathered must not wait for room that it takes up itself
      break;
    }
    TailedFile* f = tailer_->next_ready(passed_over);
    if (f == nullptr) break;
    read_one(*f);
    read = true;
  }
  return read;
}

char* Worker::reserve(std::size_t n) {
  if (!chunk_ || chunk_used_ + n > chunk_->capacity()) {
    chunk_ = ctx_.chunks.get(n);
    chunk_used_ = 0;
  }
  return chunk_->data() + chunk_used_;
}

void Worker::read_one(TailedFile& file) {
  Stream& s = stream_of(file);
  const auto n = static_cast<std::size_t>(std::min<std::uint64_t>(s.window, file.unread() + kGrowthSlack));
  char* to = reserve(kTailBytes + n);
  const auto r = tailer_->read(file, to, n);
  if (r.outcome != ReadOutcome::bytes) {
    if (r.outcome == ReadOutcome::nothing) s.drained_at = ctx_.clock.now();
    return;
  }
  chunk_used_ += r.context + r.bytes;
  take(s, {to, r.context}, {to + r.context, r.bytes}, r.bytes < n);
}

void Worker::take(Stream& s, std::string_view context, std::string_view bytes, bool at_end) {
  TailedFile& file = *s.file;
  const Framer& framer = *inputs_[file.input].framer;
  if (!batch_) batch_ = ctx_.batches.get();
  if (batch_->docs.empty()) batch_->opened = ctx_.clock.now();
  const std::uint64_t base = s.position.low();
  FrameInput in;
  in.bytes = bytes;
  in.offset = base;
  in.from = s.position;
  in.cut_at_end = at_end && s.cut_now && (finishing_ || base + bytes.size() == s.tail_size);
  const auto first_cut = std::lower_bound(s.cuts.begin(), s.cuts.end(), base);
  in.cuts = {s.cuts.begin() + (first_cut - s.cuts.begin()), s.cuts.end()};
  if (s.position.lane[0] == 0 && !s.position.carry_done) in.carry = s.carry;
  events_.clear();
  FrameStats stats;
  const FramePosition after = framer.frame(in, batch_->arena, events_, stats);
  if (in.cut_at_end && !bytes.empty()) {
    s.cuts.push_back(base + bytes.size());
    s.unsaved = true;
    unsaved_.insert(&s);
  }
  if (at_end) s.cut_now = false;

  const auto consumed = static_cast<std::size_t>(after.low() - base);
  const std::string_view seen(context.data(), context.size() + bytes.size());  // contiguous by Tailer::read
  const auto before = seen.substr(0, context.size() + consumed);
  const std::string_view tail =
      before.substr(before.size() - std::min<std::size_t>(before.size(), kTailBytes));
  if (after != s.position || !events_.empty()) {
    const auto ledger_span = ctx_.ledger.open(s.id, ctx_.clock.now());
    std::size_t documents = 0;
    if (!events_.empty()) {
      batch_->spans.push_back({ledger_span, s.source, 0});
      documents = encode(s, events_, static_cast<std::uint32_t>(batch_->spans.size() - 1));
      if (batch_->chunks.empty() || batch_->chunks.back().get() != chunk_.get())
        batch_->chunks.push_back(chunk_);
    }
    ctx_.ledger.close(ledger_span, {after, mark_of(tail)}, documents > 0);
    s.position = after;
    active_.insert(&s);
    ctx_.probe.read(file.input, consumed);
    ctx_.probe.events(file.input, stats.lines, events_.size());
    if (stats.truncated_events + stats.truncated_bytes > 0)
      ctx_.probe.truncated(file.input, stats.truncated_events, stats.truncated_bytes);
  }
  batch_->input_bytes += consumed;
  const bool more = !at_end;
  if (consumed == 0 && more) {
    s.window = std::max(framer.window_bytes() + kTailBytes, 2 * s.window);  // one long event: look wider
  } else {
    const std::size_t widest = ctx_.chunks.standard_size() - kTailBytes;
    if (events_.size() > kManyEvents) {
      s.window = std::max(kLeastWindow, s.window / 2);
    } else if (s.window != widest) {
      s.window = s.window > widest ? widest : std::min(widest, 2 * s.window);
    }
  }
  tailer_->advance(file, after.low(), before);
  if (consumed == 0 && more)
    tailer_->retry(file);  // behind advance(), which takes the file as looked through
  if (at_end && consumed == bytes.size()) s.drained_at = ctx_.clock.now();
  note_tail(s, bytes.substr(consumed), at_end);

  const std::size_t held =
      batch_->body.capacity() + batch_->arena.capacity() + batch_->docs.capacity() * sizeof(Doc);
  if (held > batch_->charged) {
    ctx_.budget.charge(held - batch_->charged);
    batch_->charged = held;
  }
  if (batch_->body.size() >= options_.batch_bytes || batch_->docs.size() >= options_.batch_documents) seal();
}

std::size_t Worker::encode(Stream& s, const std::vector<Event>& events, std::uint32_t span) {
  Parser& parser = *inputs_[s.file->input].parser;
  const std::int64_t now = ctx_.clock.wall();
  std::uint64_t parse_errors = 0;
  const std::size_t had = batch_->docs.size();
  if (!s.doc_template) {
    DocConstants constants = inputs_[s.file->input].constants;
    constants.path = s.source->path;
    s.doc_template = encoder_->prepare(constants);
    with_template_.push_back(s.id);
    if (with_template_.size() > kTemplatesKept) {
      const auto oldest = streams_.find(with_template_.front());
      if (oldest != streams_.end() && oldest->second.get() != &s) oldest->second->doc_template.reset();
      with_template_.pop_front();
    }
  }
  for (const Event& e : events) {
    record_.clear();
    parser.parse(e, now, batch_->arena, record_);
    record_.event = &e;
    if (!record_.parse_error.empty()) ++parse_errors;
    const std::int64_t fallback = record_.timestamp_ns ? 0 : s.fallback_time(e.begin, now);
    encoder_->append(record_, *s.doc_template, *s.source, fallback, span, *batch_);
    if (e.begin < s.replay_until) batch_->docs.back().may_exist = true;
  }
  if (s.unsaved) unsaved_.insert(&s);
  if (parse_errors > 0) ctx_.probe.parse_errors(s.file->input, parse_errors);
  return batch_->docs.size() - had;
}

void Worker::note_tail(Stream& s, std::string_view rest, bool at_end) {
  if (rest.empty() || !at_end) {
    if (s.open_tail) open_tails_.erase(&s);
    s.open_tail = false;
    s.file->hold_successor = false;
    return;
  }
  const std::uint64_t end = s.position.low() + rest.size();
  if (!s.open_tail || s.tail_size != end) {
    s.tail_since = ctx_.clock.now();
    s.tail_size = end;
  }
  s.tail_terminated = rest.back() == '\n';
  s.open_tail = true;
  s.file->hold_successor = inputs_[s.file->input].framer->joins_lines();
  open_tails_.insert(&s);
}

void Worker::check_tails(MonoTime now) {
  std::vector<Stream*> due;
  // Of a copy: a tail that is carried over leaves the set.
  for (Stream* s : std::vector<Stream*>(open_tails_.begin(), open_tails_.end())) {
    if (s->cut_now) continue;
    auto timeout = s->tail_terminated ? options_.multiline_timeout : options_.unterminated_timeout;
    if (finishing_) timeout = std::min(timeout, kFinishQuiet);
    if (s->file->whole) timeout = std::chrono::milliseconds(0);
    if (try_carry(*s)) continue;
    if (now - s->tail_since >= timeout) due.push_back(s);
  }
  for (Stream* s : due) {
    s->cut_now = true;
    tailer_->retry(*s->file);
  }
}

// A rotated file whose last event is open: its successor's first line tells whether the event goes on there.
// True when it does; when it surely does not, the event is closed at once.
bool Worker::try_carry(Stream& s) {
  TailedFile& file = *s.file;
  TailedFile* next = file.successor;
  const Framer& framer = *inputs_[file.input].framer;
  if (!framer.joins_lines() || file.place == Place::live || next == nullptr || next->input != file.input)
    return false;
  Stream& successor = stream_of(*next);
  const std::string from = file.key + "-" + std::to_string(s.position.low());
  if (successor.position.low() > 0 && successor.carry_from != from) return false;
  const auto open_bytes = static_cast<std::size_t>(s.tail_size - s.position.low());
  std::vector<char> open(kTailBytes + open_bytes);
  const auto mine = tailer_->read(file, open.data(), open_bytes);
  if (mine.outcome != ReadOutcome::bytes || mine.bytes != open_bytes)
    return mine.outcome == ReadOutcome::changed;
  const std::string_view open_event(open.data() + mine.context, open_bytes);
  if (successor.carry_from != from) {
    std::vector<char> head(kTailBytes + kLeastWindow);
    const auto theirs = tailer_->read(*next, head.data(), kLeastWindow);
    if (theirs.outcome != ReadOutcome::bytes) return theirs.outcome == ReadOutcome::changed;
    const std::string_view first(head.data() + theirs.context, theirs.bytes);
    const auto newline = first.find('\n');
    if (newline == std::string_view::npos) return false;
    if (!framer.continues(open_event, first.substr(0, newline))) {
      s.cut_now = true;
      tailer_->retry(file);
      return true;
    }
    successor.carry.assign(open_event);
    successor.carry_from = from;
    successor.unsaved = true;
    unsaved_.insert(&successor);
  }
  // These bytes are the successor's now; here they settle without a document.
  FramePosition after;
  after.lane.fill(s.tail_size);
  const auto span = ctx_.ledger.open(s.id, ctx_.clock.now());
  const std::string_view before(open.data(), mine.context + mine.bytes);
  const std::string_view tail =
      before.substr(before.size() - std::min<std::size_t>(before.size(), kTailBytes));
  ctx_.ledger.close(span, {after, mark_of(tail)}, false);
  s.position = after;
  active_.insert(&s);
  tailer_->advance(file, after.low(), before);
  s.open_tail = false;
  file.hold_successor = false;
  open_tails_.erase(&s);
  return true;
}

void Worker::save_unsaved() {
  if (unsaved_.empty()) return;
  std::vector<CheckpointState> states;
  states.reserve(unsaved_.size());
  for (Stream* s : unsaved_) {
    s->unsaved = false;
    states.push_back(s->state());
  }
  unsaved_.clear();
  saved_seq_ = ctx_.store.put(states);
}

void Worker::seal() {
  if (!batch_ || batch_->docs.empty()) return;
  save_unsaved();
  batch_->durable_seq = saved_seq_;
  output_->submit(std::move(batch_));
  batch_.reset();
}

void Worker::seal_if_due(MonoTime now) {
  if (batch_ && !batch_->docs.empty() && now - batch_->opened >= options_.flush_interval) seal();
}

std::chrono::milliseconds Worker::time_to_next(MonoTime now) const {
  MonoTime next = active_.empty() ? now + std::chrono::hours(1) : next_checkpoint_;
  if (batch_ && !batch_->docs.empty()) next = std::min(next, batch_->opened + options_.flush_interval);
  for (const Stream* s : open_tails_)
    next = std::min(next, s->tail_since + (s->tail_terminated ? options_.multiline_timeout
                                                              : options_.unterminated_timeout));
  return std::max(std::chrono::ceil<std::chrono::milliseconds>(next - now), std::chrono::milliseconds(0));
}

void Worker::checkpoint() {
  const MonoTime now = ctx_.clock.now();
  next_checkpoint_ = now + options_.checkpoint_interval;
  std::vector<CheckpointState> states;
  for (auto it = active_.begin(); it != active_.end();) {
    Stream& s = **it;
    const auto progress = ctx_.ledger.take(s.id);
    s.oldest_unsettled = progress.idle ? now : progress.oldest;
    if (progress.advanced_to) {
      s.committed = *progress.advanced_to;
      s.trim();
    }
    const bool was_settled = s.file->settled;
    s.file->settled = progress.idle && s.committed.position.low() == s.file->read_to && s.file->at_end();
    if (progress.advanced_to || s.file->dirty || s.unsaved || was_settled != s.file->settled) {
      states.push_back(s.state());
      s.file->dirty = false;
      s.unsaved = false;
      unsaved_.erase(&s);
    }
    const bool quiet = progress.idle && s.file->settled;
    if (quiet) s.doc_template.reset();  // of ten thousand quiet files each would keep one
    it = quiet ? active_.erase(it) : std::next(it);
  }
  // Files that changed without being read: new sizes, renames, retirements; unread bytes count as lag from
  // now on.
  tailer_->for_each([&](TailedFile& f) {
    Stream& s = stream_of(f);
    if (f.unread() > 0 && active_.insert(&s).second) s.oldest_unsettled = s.drained_at = now;
    if (!f.dirty) return;
    f.dirty = false;
    states.push_back(s.state());
  });
  saved_seq_ = ctx_.store.put(states);
  report(now);
}

void Worker::report(MonoTime now) {
  std::vector<std::uint64_t> bytes(inputs_.size());
  std::vector<double> seconds(inputs_.size());
  for (const Stream* s : active_) {
    const auto low = s->committed.position.low();
    const std::uint64_t behind = s->file->seen.size > low ? s->file->seen.size - low : 0;
    bytes[s->file->input] += behind;
    if (behind == 0) continue;
    // What was read waits for its acknowledgement; what was not read waits since the file was last read to
    // its end.
    const MonoTime since =
        s->file->unread() > 0 ? std::min(s->oldest_unsettled, s->drained_at) : s->oldest_unsettled;
    const auto age = std::chrono::duration<double>(now - since).count();
    seconds[s->file->input] = std::max(seconds[s->file->input], age);
  }
  for (std::uint32_t i = 0; i < inputs_.size(); ++i) ctx_.probe.lag(i, bytes[i], seconds[i]);
  ctx_.probe.in_flight(ctx_.budget.used(), ctx_.budget.cap());
}

void Worker::finish(MonoTime deadline) {
  finishing_ = true;
  tailer_->rescan();
  while (ctx_.clock.now() < deadline) {
    const bool read = turn(std::chrono::milliseconds(20));
    if (!read && open_tails_.empty() && tailer_->all_read()) break;
  }
  // The deadline is here: what is open goes as it is.
  for (Stream* s : std::vector<Stream*>(open_tails_.begin(), open_tails_.end())) {
    s->cut_now = true;
    tailer_->retry(*s->file);
    read_one(*s->file);
  }
  seal();
}

void Worker::pause_input(std::uint32_t input, const std::string& why) {
  {
    const std::lock_guard lock(pause_mutex_);
    if (!paused_inputs_.insert(input).second) return;
  }
  ctx_.probe.input_paused(input, true, PauseReason::dead_letters);
  ctx_.log.error("pipeline.paused", "reading of log input " + std::to_string(input) + " is paused: " + why);
}

void Worker::resume_input(std::uint32_t input) {
  {
    const std::lock_guard lock(pause_mutex_);
    if (paused_inputs_.erase(input) == 0) return;
  }
  ctx_.probe.input_paused(input, false, PauseReason::dead_letters);
  ctx_.log.info("pipeline.resumed", "log input " + std::to_string(input) + " is read again");
  ctx_.notifier.wake();
}

std::set<std::uint32_t> Worker::paused() const {
  const std::lock_guard lock(pause_mutex_);
  return paused_inputs_;
}

}  // namespace sidelight
