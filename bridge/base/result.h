// What may fail while starting or running returns Result<T>: a value, or an Error with one sentence for a person.
//
// Hostile or late packets are not errors; they are counted drops (path/drop.h).
#pragma once

#include <string>
#include <utility>
#include <variant>

#include "base/check.h"

namespace viaduct {

enum class ErrorCode {
  InvalidArgument,     // the caller, or the person who wrote the configuration, asked for something impossible
  NotFound,
  AlreadyExists,
  PermissionDenied,
  ResourceExhausted,   // a bound of limits.h or of the configuration is reached
  Unavailable,         // a library, device or system call refused
};

struct Error {
  ErrorCode code = ErrorCode::Unavailable;
  std::string text;    // one sentence, says what to do where that is known
};

template <typename T>
class [[nodiscard]] Result {
 public:
  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}  // NOLINT(google-explicit-constructor)
  Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}  // NOLINT(google-explicit-constructor)

  bool ok() const { return state_.index() == 0; }
  explicit operator bool() const { return ok(); }

  T& value() { CHECK(ok()); return std::get<0>(state_); }
  const T& value() const { CHECK(ok()); return std::get<0>(state_); }
  T& operator*() { return value(); }
  const T& operator*() const { return value(); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }
  const Error& error() const { CHECK(!ok()); return std::get<1>(state_); }

 private:
  std::variant<T, Error> state_;
};

// The Result of an operation that has nothing to give back.
template <>
class [[nodiscard]] Result<void> {
 public:
  Result() = default;
  Result(Error error) : error_(std::move(error)), ok_(false) {}  // NOLINT(google-explicit-constructor)

  bool ok() const { return ok_; }
  explicit operator bool() const { return ok_; }
  const Error& error() const { CHECK(!ok_); return error_; }

 private:
  Error error_;
  bool ok_ = true;
};

}  // namespace viaduct
