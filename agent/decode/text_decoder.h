// Turns the raw bytes of a line into UTF-8.
#pragma once

#include <string_view>

#include "agent/base/arena.h"
#include "agent/decode/framer.h"

namespace sidelight {

// `raw` as UTF-8: itself where nothing has to change (utf8, which may be broken and stays so; ASCII in the
// single-byte encodings), else a copy in `arena`. In UTF-16, `odd` says that `raw` begins with the second
// byte of a unit, which is dropped; lone surrogates and a lone last byte become U+FFFD. Tables: WHATWG
// Encoding Standard (windows-1251), ISO 8859-1.
std::string_view decode_text(Encoding encoding, std::string_view raw, bool odd, Arena& arena);

// The first `max` bytes of `text`, or up to three fewer so as not to split a UTF-8 sequence.
std::string_view cut_text(std::string_view text, std::size_t max);

}  // namespace sidelight
