// A bounded table of objects named by {index, generation}: a name that outlives its object finds nothing instead of
// the object that took its place. Names may travel through rings and batches that finish later.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

namespace viaduct {

template <typename T>
struct Handle {
  static constexpr uint32_t NoIndex = 0xffffffffu;
  uint32_t index = NoIndex;
  uint32_t generation = 0;
  explicit operator bool() const { return index != NoIndex; }
  friend auto operator<=>(const Handle&, const Handle&) = default;
};

template <typename T>
class SlotMap {
 public:
  explicit SlotMap(size_t capacity) : capacity_(capacity) {}

  // The new object's name, or an empty Handle when the table is full.
  template <typename... Args>
  Handle<T> emplace(Args&&... args) {
    uint32_t index = 0;
    if (!free_.empty()) {
      index = free_.back();
      free_.pop_back();
    } else {
      if (slots_.size() == capacity_) return {};
      index = static_cast<uint32_t>(slots_.size());
      slots_.emplace_back();
    }
    slots_[index].value = std::make_unique<T>(std::forward<Args>(args)...);
    ++size_;
    return {index, slots_[index].generation};
  }

  // Null when the name is empty or its object is gone.
  T* find(Handle<T> h) const {
    if (h.index >= slots_.size() || slots_[h.index].generation != h.generation) return nullptr;
    return slots_[h.index].value.get();
  }

  void erase(Handle<T> h) {
    if (!find(h)) return;
    slots_[h.index].value.reset();
    ++slots_[h.index].generation;
    free_.push_back(h.index);
    --size_;
  }

  size_t size() const { return size_; }
  size_t capacity() const { return capacity_; }

  // Calls f(handle, object) for each object in the order of their indexes. f may erase the object it is given.
  template <typename F>
  void for_each(F&& f) {
    for (uint32_t i = 0; i < slots_.size(); ++i) {
      if (slots_[i].value) f(Handle<T>{i, slots_[i].generation}, *slots_[i].value);
    }
  }

 private:
  struct Slot {
    std::unique_ptr<T> value;
    uint32_t generation = 1;
  };
  size_t capacity_;
  size_t size_ = 0;
  std::vector<Slot> slots_;
  std::vector<uint32_t> free_;
};

}  // namespace viaduct

template <typename T>
struct std::hash<viaduct::Handle<T>> {
  size_t operator()(viaduct::Handle<T> h) const noexcept {
    return std::hash<uint64_t>{}((static_cast<uint64_t>(h.generation) << 32) | h.index);
  }
};
