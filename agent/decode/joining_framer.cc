#include "agent/decode/joining_framer.h"

#include <algorithm>
#include <optional>

#include "agent/decode/container_line.h"
#include "agent/decode/framer_base.h"
#include "agent/decode/open_event.h"
#include "agent/decode/text_decoder.h"

namespace sidelight {
namespace {

constexpr std::size_t kSlack = 4096;
constexpr std::size_t kContainerSlack = 128 * 1024;  // headers, escapes and piece sizes of the runtimes

// A physical line without its wrapping.
struct Piece {
  std::string_view text;
  std::string_view time;
  std::size_t lane = 0;
  bool wrapped = false;
  bool partial = false;
  bool malformed = false;
};

Piece unwrap(const DecodeOptions& options, Encoding encoding, const PhysicalLine& line, bool odd,
             Arena& arena) {
  Piece piece;
  const ContainerFormat format = options.container;
  std::optional<ContainerLine> inner;
  if (format != ContainerFormat::none && !line.middle) {
    if (format != ContainerFormat::docker) inner = parse_cri_line(line.raw);
    const bool cri = inner.has_value();
    if (!cri && format != ContainerFormat::cri)
      inner = parse_docker_line(line.raw, format == ContainerFormat::detect, arena);
    if (cri) inner->text = decode_text(encoding, inner->text, false, arena);
    piece.malformed = !inner && format != ContainerFormat::detect && !line.raw.empty();
  }
  if (!inner) {
    piece.text = decode_text(encoding, line.raw, odd, arena);
    return piece;
  }
  piece.text = inner->text;
  piece.time = inner->time;
  piece.lane = inner->is_stderr ? 1 : 0;
  piece.wrapped = true;
  piece.partial = inner->partial && line.terminated;
  return piece;
}

// One call of frame().
template <bool Wide>
class JoiningRun {
 public:
  JoiningRun(const DecodeOptions& options, const JoinRules* rules, std::size_t span, const LineWindow& window,
             const FramePosition& from, Encoding encoding, Arena& arena, std::vector<Event>& out,
             FrameStats& stats)
      : options_(options),
        rules_(rules),
        span_(span),
        window_(window),
        from_(from),
        encoding_(encoding),
        arena_(arena),
        out_(out),
        stats_(stats),
        reader_(window, from.line),
        state_(from.lane_state),
        context_(from.context) {}

  FramePosition run() {
    using Step = typename LineReader<Wide>::Step;
    PhysicalLine line;
    for (Step step; (step = reader_.next(line)) != Step::end;) {
      if (step == Step::cut) {
        close_all();
      } else {
        on_line(line);
      }
    }
    if (window_.cut_at_end) close_all();
    stats_.truncated_bytes += reader_.skipped();
    return position();
  }

  // In run()'s place, over a carry that ends at `border` and what follows: see Framer::continues().
  std::optional<bool> crosses(std::uint64_t border) {
    run();
    bool goes_on = false;
    bool undecided = false;
    std::array<int, kLanes> begun{};  // events that begin in the carry
    int ended = 0;                    // those that may end there, too
    const auto look = [&](const Event& e, bool may_grow) {
      if (e.begin >= border) return;
      ++begun[e.lane];
      goes_on |= e.end > border;
      undecided |= e.end <= border && may_grow;
      ended += e.end <= border ? 1 : 0;
    };
    for (const Event& e : out_) look(e, false);
    for (const OpenEvent& open : open_)
      if (open.active) look(open.event, true);
    if (ended > 1 && (goes_on || !undecided)) return false;
    if (begun[0] > 1 || begun[1] > 1) return false;
    if (goes_on) return true;
    return undecided ? std::nullopt : std::optional(false);
  }

 private:
  void on_line(const PhysicalLine& line) {
    const Piece piece = unwrap(options_, encoding_, line, reader_.is_odd(line.begin), arena_);
    if (line.begin < from_.lane[piece.lane])
      return;  // handed out before; presented again for the other lane's sake
    for (std::size_t lane = 0; lane < kLanes; ++lane) {
      if (open_[lane].active && line.end - open_[lane].event.begin > span_) close(lane);
    }
    on_piece(piece, line);
    if (line.overlong) close_all();
  }

  void on_piece(const Piece& piece, const PhysicalLine& line) {
    OpenEvent& open = open_[piece.lane];
    LaneState& state = state_[piece.lane];
    // A blank line of a container log that no stream wrote.
    if (!piece.wrapped && piece.text.empty() &&
        (state != LaneState::clear || (open.active && open.event.from_container)))
      return;
    if (!piece.wrapped) leave_pieces(piece.lane);
    if (state == LaneState::drop_pieces) {
      stats_.truncated_bytes += piece.text.size();
      if (!piece.partial) state = after_dropped_pieces();
      return;
    }
    const bool begins_line = !(open.active && open.in_pieces) && state != LaneState::in_pieces;
    const std::uint8_t context_before = context_[piece.lane];
    const bool joins = begins_line && rules_ != nullptr && !line.middle && !piece.text.empty() &&
                       rules_->continues(context_[piece.lane], piece.text);
    if (state == LaneState::drop_lines) {
      if (joins || (piece.text.empty() && !line.middle)) {
        stats_.truncated_bytes += piece.text.size();
        if (piece.partial) state = LaneState::drop_pieces;
        return;
      }
      state = LaneState::clear;
    }
    if (begins_line) {
      const bool fits = open.active && open.event.from_container == piece.wrapped &&
                        open.lines < options_.multiline.max_lines;
      const bool stays = fits && (joins || (piece.text.empty() && rules_ != nullptr));
      if (!stays && open.active) close(piece.lane);
      if (!stays && piece.text.empty()) return;
      if (!stays) start(piece, line, joins || line.middle, context_before);
    } else if (!open.active) {
      if (piece.text.empty()) {
        if (!piece.partial) state = LaneState::clear;
        return;
      }
      start(piece, line, true, context_before);
    }
    add(piece, line, begins_line);
  }

  // A line that is no container line does not go on with pieces.
  void leave_pieces(std::size_t lane) {
    if (open_[lane].active && open_[lane].in_pieces) close(lane);
    if (state_[lane] == LaneState::in_pieces) state_[lane] = LaneState::clear;
    if (state_[lane] == LaneState::drop_pieces) state_[lane] = after_dropped_pieces();
  }

  LaneState after_dropped_pieces() const {
    return rules_ != nullptr ? LaneState::drop_lines : LaneState::clear;
  }

  void start(const Piece& piece, const PhysicalLine& line, bool continuation, std::uint8_t context) {
    OpenEvent& open = open_[piece.lane];
    open.start(line.begin, state_[piece.lane], context, line.middle);
    open.event.lane = static_cast<std::uint8_t>(piece.lane);
    open.event.from_container = piece.wrapped;
    open.event.container_time = piece.time;
    open.event.continuation = continuation;
    state_[piece.lane] = LaneState::clear;
  }

  void add(const Piece& piece, const PhysicalLine& line, bool begins_line) {
    OpenEvent& open = open_[piece.lane];
    open.event.end = line.end;
    open.event.unterminated = !line.terminated && !line.overlong;
    open.event.not_wrapped |= piece.malformed;
    open.physical_lines += line.terminated ? 1 : 0;
    const std::size_t separator = begins_line && !open.parts.empty() ? 1 : 0;
    const std::size_t room =
        options_.max_event_bytes - std::min(open.bytes + separator, options_.max_event_bytes);
    if (piece.text.size() > room || line.overlong) [[unlikely]] {
      const std::string_view kept = cut_text(piece.text, room);
      if (!kept.empty()) open.append(kept, separator != 0);
      open.event.truncated = true;
      ++stats_.truncated_events;
      stats_.truncated_bytes += piece.text.size() - kept.size();
      emit(piece.lane);
      state_[piece.lane] = piece.partial ? LaneState::drop_pieces : after_dropped_pieces();
      return;
    }
    open.append(piece.text, separator != 0);
    open.in_pieces = piece.partial;
    if (!piece.partial) ++open.lines;
    if (rules_ == nullptr && !piece.partial) emit(piece.lane);
  }

  void emit(std::size_t lane) {
    OpenEvent& open = open_[lane];
    open.event.text = open.join(window_.bytes, arena_);
    stats_.lines += open.physical_lines;
    out_.push_back(open.event);
    open.active = false;
  }

  // By force, or because another event begins.
  void close(std::size_t lane) {
    OpenEvent& open = open_[lane];
    if (!open.active) return;
    if (open.in_pieces) {
      open.event.unterminated = true;
      state_[lane] = LaneState::in_pieces;
    }
    emit(lane);
  }

  void close_all() {
    for (std::size_t lane = 0; lane < kLanes; ++lane) close(lane);
  }

  FramePosition position() const {
    FramePosition to = from_;
    for (std::size_t i = 0; i < kLanes; ++i) {
      const OpenEvent& open = open_[i];
      to.lane[i] = open.active ? open.event.begin : std::max(from_.lane[i], reader_.position());
      to.lane_state[i] = open.active ? open.state_before : state_[i];
      to.context[i] = open.active ? open.context_before : context_[i];
    }
    to.line = reader_.state();
    for (const OpenEvent& open : open_) {
      if (open.active && open.event.begin == to.low())
        to.line = open.in_mid_line ? LineState::mid_line : LineState::at_line;
    }
    return to;
  }

  const DecodeOptions& options_;
  const JoinRules* rules_;
  const std::size_t span_;
  const LineWindow& window_;
  const FramePosition& from_;
  const Encoding encoding_;
  Arena& arena_;
  std::vector<Event>& out_;
  FrameStats& stats_;
  LineReader<Wide> reader_;
  std::array<OpenEvent, kLanes> open_;
  std::array<LaneState, kLanes> state_;
  std::array<std::uint8_t, kLanes> context_;
};

class JoiningFramer final : public FramerBase {
 public:
  JoiningFramer(const DecodeOptions& options, std::unique_ptr<JoinRules> rules)
      : FramerBase(options), rules_(std::move(rules)) {}

  std::size_t window_bytes() const override { return span() + line_limit(); }
  bool joins_lines() const override { return true; }

  std::string open_part(std::string_view bytes, const FramePosition& at) const override {
    if (options_.container == ContainerFormat::none) {  // there is one lane
      const bool marked = at.low() == 0 && !is_wide(options_.encoding) && bytes.starts_with("\xEF\xBB\xBF");
      return std::string(bytes.substr(marked ? 3 : 0));
    }
    const LineWindow window{.bytes = bytes,
                            .offset = at.low(),
                            .file_start = 0,
                            .line_limit = bytes.size() + 1,
                            .cut_at_end = true,
                            .cuts = {},
                            .big_endian = false};
    LineReader<false> reader(window, at.line);
    Arena arena;
    std::string open;
    for (PhysicalLine line; reader.next(line) != LineReader<false>::Step::end;) {
      if (line.begin < at.lane[unwrap(options_, options_.encoding, line, false, arena).lane]) continue;
      open.append(line.raw.data(), bytes.data() + (line.end - at.low()));  // without a byte order mark
    }
    return open;
  }

  std::optional<bool> continues(std::string_view carry, std::string_view next,
                                const FramePosition& at) const override {
    Arena arena;
    std::vector<Event> events;
    FrameStats stats;
    const Output out{arena, events, stats};
    std::string joined(carry);
    joined += next;
    LineWindow window{.bytes = joined,
                      .offset = 0,
                      .file_start = carry.size(),
                      .line_limit = line_limit(),
                      .cut_at_end = false,
                      .cuts = {},
                      .big_endian = false};
    FramePosition from = at.successor();
    const Encoding encoding = obey_mark(window, from);
    const std::optional<bool> crosses =
        is_wide(encoding) ? run_of<true>(window, from, encoding, out).crosses(carry.size())
                          : run_of<false>(window, from, encoding, out).crosses(carry.size());
    return !crosses && next.size() >= window_bytes() ? false : crosses;
  }

 protected:
  std::size_t line_limit() const override {
    const bool containers = options_.container != ContainerFormat::none;
    const std::size_t times = containers || is_wide(options_.encoding) ? 2 : 1;
    return (times * options_.max_event_bytes + (containers ? kContainerSlack : kSlack)) & ~std::size_t{1};
  }

  FramePosition frame_window(const LineWindow& window, const FramePosition& from, Encoding encoding,
                             Output out) const override {
    return is_wide(encoding) ? run_of<true>(window, from, encoding, out).run()
                             : run_of<false>(window, from, encoding, out).run();
  }

 private:
  template <bool Wide>
  JoiningRun<Wide> run_of(const LineWindow& window, const FramePosition& from, Encoding encoding,
                          Output out) const {
    return JoiningRun<Wide>(options_, rules_.get(), span(), window, from, encoding, out.arena, out.events,
                            out.stats);
  }

  // More than an event that the size limit has not closed yet takes, unless blank lines, escapes or the other
  // lane stretch it.
  std::size_t span() const { return line_limit(); }

  const std::unique_ptr<JoinRules> rules_;
};

}  // namespace

std::unique_ptr<Framer> make_joining_framer(const DecodeOptions& options, std::unique_ptr<JoinRules> rules) {
  return std::make_unique<JoiningFramer>(options, std::move(rules));
}

}  // namespace sidelight
