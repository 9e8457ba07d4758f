// Whose an address or an ICE user name is.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/slot_map.h"
#include "base/socket_address.h"
#include "conference/endpoint.h"

namespace viaduct::path {

using conference::Endpoint;

class AddressBook {
 public:
  void add_ufrag(const std::string& ufrag, Handle<Endpoint> owner) { by_ufrag_[ufrag] = owner; }
  void remove_ufrag(const std::string& ufrag) { by_ufrag_.erase(ufrag); }
  Handle<Endpoint> with_ufrag(std::string_view ufrag) const {
    const auto it = by_ufrag_.find(ufrag);
    return it == by_ufrag_.end() ? Handle<Endpoint>{} : it->second;
  }

  void add_address(const SocketAddress& address, Handle<Endpoint> owner) {
    by_address_[address] = owner;
  }
  // Only if it is still the owner's.
  void remove_address(const SocketAddress& address, Handle<Endpoint> owner) {
    const auto it = by_address_.find(address);
    if (it != by_address_.end() && it->second == owner) by_address_.erase(it);
  }
  Handle<Endpoint> at(const SocketAddress& address) const {
    const auto it = by_address_.find(address);
    return it == by_address_.end() ? Handle<Endpoint>{} : it->second;
  }

 private:
  struct TextHash {
    using is_transparent = void;
    size_t operator()(std::string_view s) const { return std::hash<std::string_view>{}(s); }
  };
  std::unordered_map<SocketAddress, Handle<Endpoint>> by_address_;
  std::unordered_map<std::string, Handle<Endpoint>, TextHash, std::equal_to<>> by_ufrag_;
};

}  // namespace viaduct::path
