// Checked against hiredis 0.14: it asks us to make each value, tells where it belongs, and gives the
// outermost one back; a null stops it.
#include "collectors/redis/resp_reader.h"

#include <hiredis/read.h>

#include <new>
#include <utility>

namespace sidelight {
namespace {

struct Budget {
  std::size_t items = 0;
};

// The place of the value that hiredis has read. Inner values live in their array.
RespValue* place(const redisReadTask* task) {
  if (task->parent == nullptr) return new (std::nothrow) RespValue;
  auto* const array = static_cast<RespValue*>(task->parent->obj);
  return &array->items[static_cast<std::size_t>(task->idx)];
}

void* make_string(const redisReadTask* task, char* text, std::size_t size) {
  RespValue* const value = place(task);
  if (value == nullptr) return nullptr;
  value->type = task->type == REDIS_REPLY_ERROR ? RespValue::Type::error : RespValue::Type::text;
  value->text.assign(text, size);
  return value;
}

void* make_array(const redisReadTask* task, int elements) {
  auto& budget = *static_cast<Budget*>(task->privdata);
  const auto size = static_cast<std::size_t>(elements < 0 ? 0 : elements);
  if (size > budget.items) return nullptr;
  budget.items -= size;
  RespValue* const value = place(task);
  if (value == nullptr) return nullptr;
  value->type = RespValue::Type::array;
  value->items.resize(size);
  return value;
}

void* make_integer(const redisReadTask* task, long long number) {
  RespValue* const value = place(task);
  if (value == nullptr) return nullptr;
  value->type = RespValue::Type::integer;
  value->integer = number;
  return value;
}

void* make_nil(const redisReadTask* task) {
  return place(task);
}

void free_outermost(void* value) {
  delete static_cast<RespValue*>(value);
}

// hiredis takes it by a pointer to non-const, and does not change it.
redisReplyObjectFunctions functions = {make_string, make_array, make_integer, make_nil, free_outermost};

struct FreeReader {
  void operator()(redisReader* reader) const { redisReaderFree(reader); }
};

}  // namespace

struct RespReader::State {
  Budget budget;
  std::size_t bytes = 0;  // fed since the last reply
  std::unique_ptr<redisReader, FreeReader> reader{redisReaderCreateWithFunctions(&functions)};
};

RespReader::RespReader() : state_(std::make_unique<State>()) {
  state_->budget.items = kMaxItems;
  if (state_->reader) state_->reader->privdata = &state_->budget;
}

RespReader::~RespReader() = default;

Expected<std::optional<RespValue>> RespReader::next(std::string_view more_bytes) {
  State& s = *state_;
  if (!s.reader) return fail("no memory");
  s.bytes += more_bytes.size();
  if (s.bytes > kMaxBytes) return fail("a reply of more than " + std::to_string(kMaxBytes) + " bytes");
  if (!more_bytes.empty()) redisReaderFeed(s.reader.get(), more_bytes.data(), more_bytes.size());
  void* reply = nullptr;
  if (redisReaderGetReply(s.reader.get(), &reply) != REDIS_OK) {
    if (s.reader->err == REDIS_ERR_OOM) return fail("a reply of too many items");
    return fail("the answer is not the Redis protocol");
  }
  if (reply == nullptr) return std::optional<RespValue>();
  const std::unique_ptr<RespValue> value(static_cast<RespValue*>(reply));
  s.bytes = 0;
  s.budget.items = kMaxItems;
  return std::optional<RespValue>(std::move(*value));
}

}  // namespace sidelight
