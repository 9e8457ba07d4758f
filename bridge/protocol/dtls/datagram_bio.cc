#include "protocol/dtls/datagram_bio.h"

#include <openssl/bio.h>

#include <algorithm>
#include <cstring>

#include "limits.h"

namespace viaduct::dtls {
namespace {

constexpr long UdpIpv6HeaderBytes = 48;

DatagramBio& queue_of(BIO* bio) { return *static_cast<DatagramBio*>(BIO_get_data(bio)); }

int read_bio(BIO* bio, char* into, int capacity) {
  BIO_clear_retry_flags(bio);
  if (into == nullptr || capacity <= 0) return 0;
  const size_t n = queue_of(bio).read({reinterpret_cast<uint8_t*>(into), static_cast<size_t>(capacity)});
  if (n > 0) return static_cast<int>(n);
  BIO_set_retry_read(bio);
  return -1;
}

int write_bio(BIO* bio, const char* data, int size) {
  BIO_clear_retry_flags(bio);
  if (data == nullptr || size <= 0) return 0;
  queue_of(bio).write({reinterpret_cast<const uint8_t*>(data), static_cast<size_t>(size)});
  return size;
}

long control_bio(BIO* bio, int command, long, void*) {
  switch (command) {
    case BIO_CTRL_FLUSH:
    case BIO_CTRL_DGRAM_SET_NEXT_TIMEOUT: return 1;
    case BIO_CTRL_DGRAM_QUERY_MTU:
    case BIO_CTRL_DGRAM_GET_MTU:
    case BIO_CTRL_DGRAM_GET_FALLBACK_MTU: return static_cast<long>(queue_of(bio).mtu());
    case BIO_CTRL_DGRAM_GET_MTU_OVERHEAD: return UdpIpv6HeaderBytes;
    default: return 0;
  }
}

int create_bio(BIO* bio) {
  BIO_set_init(bio, 1);
  return 1;
}

// One for the process, never freed: every BIO points to it.
const BIO_METHOD* bio_method() {
  static const BIO_METHOD* const method = [] {
    BIO_METHOD* m = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "viaduct datagrams");
    if (m == nullptr) return m;
    BIO_meth_set_read(m, read_bio);
    BIO_meth_set_write(m, write_bio);
    BIO_meth_set_ctrl(m, control_bio);
    BIO_meth_set_create(m, create_bio);
    return m;
  }();
  return method;
}

}  // namespace

bio_st* DatagramBio::make_bio() {
  BIO* bio = bio_method() != nullptr ? BIO_new(bio_method()) : nullptr;
  if (bio != nullptr) BIO_set_data(bio, this);
  return bio;
}

bool DatagramBio::poll_output(std::vector<uint8_t>* datagram) {
  if (outgoing_.empty()) return false;
  *datagram = std::move(outgoing_.front());
  outgoing_.pop_front();
  return true;
}

size_t DatagramBio::read(MutableBytes into) {
  const size_t n = std::min(into.size(), incoming_.size());
  if (n > 0) std::memcpy(into.data(), incoming_.data(), n);
  incoming_ = {};
  return n;
}

void DatagramBio::write(Bytes datagram) {
  if (outgoing_.size() < QueuedDatagrams) outgoing_.emplace_back(datagram.begin(), datagram.end());
}

}  // namespace viaduct::dtls
