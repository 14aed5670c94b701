#include "agent/decode/plain_framer.h"

#include "agent/decode/framer_base.h"
#include "agent/decode/text_decoder.h"

namespace sidelight {
namespace {

// Room beyond the size limit for what is not text: a byte order mark, a terminator.
constexpr std::size_t kSlack = 4096;

class PlainFramer final : public FramerBase {
 public:
  explicit PlainFramer(const DecodeOptions& options) : FramerBase(options) {}

  std::size_t window_bytes() const override { return line_limit(); }
  bool joins_lines() const override { return false; }
  std::string open_part(std::string_view bytes, const FramePosition& /*at*/) const override {
    return std::string(bytes);
  }
  std::optional<bool> continues(std::string_view /*carry*/, std::string_view /*next*/,
                                const FramePosition& /*at*/) const override {
    return false;
  }

 protected:
  std::size_t line_limit() const override {
    return ((is_wide(options_.encoding) ? 2 : 1) * options_.max_event_bytes + kSlack) & ~std::size_t{1};
  }

  FramePosition frame_window(const LineWindow& window, const FramePosition& from, Encoding encoding,
                             Output out) const override {
    if (is_wide(encoding)) return run<true>(window, from, encoding, out);
    return run<false>(window, from, encoding, out);
  }

 private:
  template <bool Wide>
  FramePosition run(const LineWindow& window, const FramePosition& from, Encoding encoding,
                    Output out) const {
    using Reader = LineReader<Wide>;
    Reader reader(window, from.line);
    PhysicalLine line;
    const bool as_it_is = encoding == Encoding::utf8;
    std::uint64_t lines = 0;
    for (typename Reader::Step step; (step = reader.next(line)) != Reader::Step::end;) {
      if (step == Reader::Step::cut) continue;  // no line is ever open here
      std::string_view text =
          as_it_is ? line.raw : decode_text(encoding, line.raw, reader.is_odd(line.begin), out.arena);
      if (text.empty()) continue;
      const bool truncated = line.overlong || text.size() > options_.max_event_bytes;
      if (truncated) [[unlikely]]
        text = cut(text, out.stats);
      lines += line.terminated ? 1 : 0;
      Event& e = out.events.emplace_back();
      e.begin = line.begin;
      e.end = line.end;
      e.text = text;
      e.truncated = truncated;
      e.unterminated = !line.terminated && !line.overlong;
      e.continuation = line.middle;
    }
    out.stats.lines += lines;
    out.stats.truncated_bytes += reader.skipped();
    FramePosition to = from;
    to.lane.fill(reader.position());
    to.line = reader.state();
    return to;
  }

  std::string_view cut(std::string_view text, FrameStats& stats) const {
    const std::string_view kept = cut_text(text, options_.max_event_bytes);
    ++stats.truncated_events;
    stats.truncated_bytes += text.size() - kept.size();
    return kept;
  }
};

}  // namespace

std::unique_ptr<Framer> make_plain_framer(const DecodeOptions& options) {
  return std::make_unique<PlainFramer>(options);
}

}  // namespace sidelight
