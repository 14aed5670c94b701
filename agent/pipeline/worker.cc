#include "agent/pipeline/worker.h"

#include <algorithm>
#include <array>

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
constexpr std::chrono::milliseconds kFinishQuiet{500};
// How often processors that wait for time to pass are asked.
constexpr std::chrono::milliseconds kAskProcessors{1000};
constexpr std::chrono::milliseconds kStarvedRest{100};
constexpr std::chrono::seconds kReleaseInterval{5};
// What open events that go on in another file may take of the budget; beyond it they are closed at the
// rotation.
constexpr std::size_t kCarryShare = 4;

}  // namespace

Worker::Worker(WorkerContext context, WorkerOptions options, std::vector<WorkerInput> inputs,
               std::vector<TailOptions> tails, TailLimits limits, OwnFiles own)
    : ctx_(context), options_(options), inputs_(std::move(inputs)) {
  for (WorkerInput& in : inputs_) in.known = {in.constants.service, in.constants.fields, in.constants.labels};
  tailer_ = std::make_unique<Tailer>(
      TailerContext{ctx_.fs, ctx_.notifier, ctx_.clock, ctx_.log, ctx_.tail_probe, *this}, std::move(tails),
      limits, std::move(own));
}

Worker::~Worker() = default;

void Worker::set_output(Output& output, std::unique_ptr<Encoder> encoder) {
  own_outlet_ = std::make_unique<Outlet>(
      "", ctx_.batches, ctx_.budget,
      BatchLimits{options_.batch_bytes, options_.batch_documents, options_.flush_interval}, 0);
  own_outlet_->connect(output, std::move(encoder));
  outlets_ = {own_outlet_.get()};
}

void Worker::set_outlets(std::vector<Outlet*> outlets) {
  outlets_ = std::move(outlets);
}

void Worker::on_new(TailedFile& file, bool restored) {
  auto stream = std::make_unique<Stream>();
  Stream& s = *stream;
  s.id = next_stream_++;
  s.file = &file;
  s.window = ctx_.chunks.standard_size() - kTailBytes;
  s.source = std::make_shared<const Source>(Source{file.input, file.path, file.key});
  std::array<char, 2> file_start{};
  std::size_t known = 0;
  if (file.read_to > 0 && file.file)
    known = file.file->read_at(file_start.data(), file_start.size(), 0).value_or(0);
  s.position = inputs_[file.input].framer->begin_at(file.read_to, {file_start.data(), known});
  Behind behind;
  if (const auto it = restoring_.find(file.key); restored && it != restoring_.end()) {
    CheckpointState& c = it->second;
    behind = {c.size, c.behind_since_ns};
    s.position.lane = c.lane;
    s.position.unpack_state(c.frame_state);
    s.cuts = std::move(c.cuts);
    s.time_marks = std::move(c.time_marks);
    s.carry = std::move(c.carry);
    s.carry_from = std::move(c.carry_from);
    if (!s.carry_from.empty()) handed_over_.insert(s.carry_from);
    carried_ += s.carry.size();
    if (!c.processors.empty()) {
      s.saved_memory = std::make_shared<const std::string>(std::move(c.processors));
      if (const ChainMemory* memory = memory_of(s); memory != nullptr && memory->waits()) waiting_.insert(&s);
    }
    s.replay_until = file.seen.size;
    s.unsaved = false;
    restoring_.erase(it);
  }
  s.committed = s.stand(file.tail);
  s.last_event = ctx_.clock.now();
  note_age(s, behind);
  file.user = &s;
  if (s.unsaved) unsaved_.insert(&s);
  active_.insert(&s);
  ctx_.ledger.add_stream(s.id);
  streams_.emplace(s.id, std::move(stream));
}

void Worker::on_gone(TailedFile& file) {
  ctx_.store.forget(file.key);
  remove_stream(stream_of(file));
}

void Worker::remove_stream(Stream& s) {
  ctx_.ledger.remove_stream(s.id);
  carried_ -= s.carry.size();
  unsaved_.erase(&s);
  open_tails_.erase(&s);
  active_.erase(&s);
  waiting_.erase(&s);
  streams_.erase(s.id);
}

bool Worker::turn(std::chrono::milliseconds max_wait) {
  MonoTime now = ctx_.clock.now();
  if (!ctx_.budget.has_room()) {
    tailer_->rest(std::min(max_wait, std::chrono::milliseconds(100)));  // a batch that comes back wakes us
    max_wait = std::chrono::milliseconds(0);
  } else if (starved_) {
    tailer_->rest(std::min(max_wait, kStarvedRest));  // so does one that gives an output its share back
  } else if (now - last_turn_ < kLeastTurn && !tailer_->has_ready()) {
    tailer_->rest(std::min(max_wait, kLeastTurn));
  }
  tailer_->update(std::min(max_wait, time_to_next(ctx_.clock.now())));
  last_turn_ = ctx_.clock.now();
  const bool read = read_some();
  now = ctx_.clock.now();
  check_tails(now);
  check_waiting(now, false);
  seal_if_due(now);
  if (now >= next_checkpoint_) checkpoint();
  if (read) keeps_spares_ = true;
  if (keeps_spares_ && now >= next_release_) release_unused(now);
  return read;
}

// Memory of busier times. What is on its way comes back later, so this goes on until nothing is kept.
void Worker::release_unused(MonoTime now) {
  next_release_ = now + kReleaseInterval;
  const bool chunks = ctx_.chunks.release_unused();
  const bool batches = ctx_.batches.release_unused();
  keeps_spares_ = chunks || batches || ctx_.budget.used() > 0;
}

bool Worker::read_some() {
  auto over = passed_over();
  bool read = false;
  for (std::size_t i = 0; i < kReadsATurn; ++i) {
    if (!ctx_.budget.has_room()) {
      // What is gathered must not wait for room that it takes up itself.
      seal();
      chunk_ = ChunkRef();
      break;
    }
    TailedFile* f = tailer_->next_ready(over);
    if (f == nullptr) break;
    read_one(*f);
    read = true;
    if (outlets_.size() > 1) over = passed_over();
  }
  starved_ = !read && !over.empty() && tailer_->has_ready();
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
  if (r.outcome != ReadOutcome::bytes) return;
  chunk_used_ += r.context + r.bytes;
  take(s, {to, r.context}, {to + r.context, r.bytes}, r.bytes < n);
}

void Worker::take(Stream& s, std::string_view context, std::string_view bytes, bool at_end) {
  TailedFile& file = *s.file;
  const Framer& framer = *inputs_[file.input].framer;
  const bool one_outlet = outlets_.size() == 1;
  Arena& arena = one_outlet ? outlets_.front()->batch(ctx_.clock.now()).arena : scratch_;
  const std::uint64_t base = s.position.low();
  FrameInput in;
  in.bytes = bytes;
  in.offset = base;
  in.from = s.position;
  in.cut_at_end = at_end && s.cut_now && (finishing_ || base + bytes.size() == s.tail_size);
  in.is_last = finishing_ || file.place != Place::live;
  const auto first_cut = std::lower_bound(s.cuts.begin(), s.cuts.end(), base);
  in.cuts = {s.cuts.begin() + (first_cut - s.cuts.begin()), s.cuts.end()};
  if (s.position.in_carry()) in.carry = s.carry;
  events_.clear();
  FrameStats stats;
  const FramePosition after = framer.frame(in, arena, events_, stats);
  if (in.cut_at_end && after.low() < base + bytes.size()) s.open_tail = false;  // half a character has time
  if (in.cut_at_end && after.low() > base) {
    s.cuts.push_back(after.low());
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
    std::size_t parts = 0;
    if (!events_.empty()) {
      inputs_[file.input].parser->announce(bytes.substr(0, consumed));
      parts = write_documents(s, events_, ledger_span);
    }
    s.position = after;
    ctx_.ledger.close(ledger_span, s.stand(mark_of(tail)), parts);
    active_.insert(&s);
    ctx_.probe.read(file.input, consumed);
    ctx_.probe.events(file.input, stats.lines, events_.size());
    if (stats.truncated_events + stats.truncated_bytes > 0)
      ctx_.probe.truncated(file.input, stats.truncated_events, stats.truncated_bytes);
  }
  if (one_outlet) outlets_.front()->batch(ctx_.clock.now()).input_bytes += consumed;
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
  note_tail(s, bytes.substr(consumed), at_end);

  for (Outlet* o : outlets_) {
    o->drop_leftovers();
    if (o->has_batch() && o->charge()) seal(*o);
  }
  scratch_.clear();
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
  s.tail_terminated = inputs_[s.file->input].framer->ends_line(rest, s.position);
  s.open_tail = true;
  s.file->hold_successor = inputs_[s.file->input].framer->joins_lines();
  open_tails_.insert(&s);
}

void Worker::check_tails(MonoTime now) {
  std::vector<Stream*> due;
  // Of a copy: a tail that is carried over leaves the set.
  for (Stream* s : std::vector<Stream*>(open_tails_.begin(), open_tails_.end())) {
    if (s->file->at_end()) {  // what was open is not there any more: a copy may lack it
      s->open_tail = s->cut_now = s->file->hold_successor = false;
      open_tails_.erase(s);
      continue;
    }
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

// A rotated file whose last event is open: its successor's first lines tell whether the event goes on there.
// True when it does; when it surely does not, the event is closed at once.
bool Worker::try_carry(Stream& s) {
  TailedFile& file = *s.file;
  TailedFile* next = file.successor;
  const Framer& framer = *inputs_[file.input].framer;
  if (!framer.joins_lines() || file.place == Place::live) return false;
  const std::string from = file.key + "-" + std::to_string(s.position.low());
  // An earlier run may have got further with the successor than with this one.
  const bool is_there = handed_over_.contains(from);
  if (!is_there && (next == nullptr || next->input != file.input)) return false;
  if (!is_there) {
    const Stream& successor = stream_of(*next);
    const bool is_new =
        successor.carry.empty() && successor.position.in_carry(0) && successor.position.in_carry(1);
    if (successor.carry_from != from && !is_new) return false;
  }
  const auto open_bytes = static_cast<std::size_t>(s.tail_size - s.position.low());
  std::vector<char> open(kTailBytes + open_bytes);
  const auto mine = tailer_->read(file, open.data(), open_bytes);
  if (mine.outcome != ReadOutcome::bytes || mine.bytes != open_bytes)
    return mine.outcome == ReadOutcome::changed;
  // What came over to this one and is still open goes on with it.
  std::string open_event = s.position.in_carry() ? s.carry : std::string();
  const FramePosition at = s.position.from_carry(open_event.size());
  open_event.append(open.data() + mine.context, open_bytes);
  if (!is_there && stream_of(*next).carry_from != from) {
    Stream& successor = stream_of(*next);
    open_event = framer.open_part(open_event, at);
    std::optional<bool> goes_on;
    for (const std::size_t window : {kLeastWindow, framer.window_bytes()}) {
      std::vector<char> head(kTailBytes + window);
      const auto theirs = tailer_->read(*next, head.data(), window);
      if (theirs.outcome != ReadOutcome::bytes) return theirs.outcome == ReadOutcome::changed;
      goes_on = framer.continues(open_event, {head.data() + theirs.context, theirs.bytes}, at);
      if (goes_on || theirs.bytes < window) break;  // enough of it was seen, or all
    }
    if (!goes_on) return false;
    const bool too_much = *goes_on && carried_ + open_event.size() > ctx_.budget.cap() / kCarryShare;
    if (too_much)
      ctx_.log.warn("pipeline.carry",
                    "too many open events at once wait to go on behind a rotation; they are cut there, and "
                    "what follows is marked as continuation");
    if (too_much || !*goes_on) {
      s.cut_now = true;
      tailer_->retry(file);
      return true;
    }
    carried_ += open_event.size() - successor.carry.size();
    successor.carry.assign(open_event);
    successor.carry_from = from;
    successor.position = successor.committed.position = at.successor();
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
  s.position = after;
  ctx_.ledger.close(span, s.stand(mark_of(tail)), 0);
  active_.insert(&s);
  tailer_->advance(file, after.low(), before);
  s.open_tail = false;
  file.hold_successor = false;
  open_tails_.erase(&s);
  return true;
}

std::chrono::milliseconds Worker::time_to_next(MonoTime now) const {
  MonoTime next = active_.empty() ? now + std::chrono::hours(1) : next_checkpoint_;
  for (const Outlet* o : outlets_)
    if (o->has_documents()) next = std::min(next, o->due());
  if (!waiting_.empty()) next = std::min(next, now + kAskProcessors);
  if (keeps_spares_) next = std::min(next, next_release_);
  for (const Stream* s : open_tails_)
    next = std::min(next, s->tail_since + (s->tail_terminated ? options_.multiline_timeout
                                                              : options_.unterminated_timeout));
  return std::max(std::chrono::ceil<std::chrono::milliseconds>(next - now), std::chrono::milliseconds(0));
}

bool Worker::finish(MonoTime deadline) {
  finishing_ = true;
  tailer_->rescan();
  while (ctx_.clock.now() < deadline) {
    const bool read = turn(std::chrono::milliseconds(20));
    if (!read && open_tails_.empty() && tailer_->all_read()) break;
    if (std::all_of(outlets_.begin(), outlets_.end(), [](const Outlet* o) { return o->gone(); })) {
      seal();  // an open line need not be cut for nobody, and the outputs tell what is left
      return true;
    }
  }
  // The deadline is here: what is open goes as it is.
  for (Stream* s : std::vector<Stream*>(open_tails_.begin(), open_tails_.end())) {
    s->cut_now = true;
    tailer_->retry(*s->file);
    read_one(*s->file);
  }
  check_waiting(ctx_.clock.now(), true);
  seal();
  return open_tails_.empty() && tailer_->all_read();
}

void Worker::pause_input(std::uint32_t output, std::uint32_t input, const std::string& why) {
  {
    const std::lock_guard lock(pause_mutex_);
    const bool was = is_paused(input);
    if (!pauses_.emplace(input, output).second || was) return;
  }
  ctx_.probe.input_paused(input, true, PauseReason::dead_letters);
  ctx_.log.error("pipeline.paused", "reading of log input " + inputs_[input].name + " is paused: " + why);
}

void Worker::resume_input(std::uint32_t output, std::uint32_t input) {
  {
    const std::lock_guard lock(pause_mutex_);
    if (pauses_.erase({input, output}) == 0 || is_paused(input)) return;
  }
  ctx_.probe.input_paused(input, false, PauseReason::dead_letters);
  ctx_.log.info("pipeline.resumed", "log input " + inputs_[input].name + " is read again");
  ctx_.notifier.wake();
}

// With pause_mutex_ held.
bool Worker::is_paused(std::uint32_t input) const {
  const auto first = pauses_.lower_bound({input, 0});
  return first != pauses_.end() && first->first == input;
}

std::set<std::uint32_t> Worker::paused() const {
  const std::lock_guard lock(pause_mutex_);
  std::set<std::uint32_t> inputs;
  for (const auto& [input, output] : pauses_) inputs.insert(input);
  return inputs;
}

}  // namespace sidelight
