// DTLS 1.2 records and handshake messages as bytes (RFC 6347 section 4.1 and 4.2.2), for networks that meddle.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "base/bytes.h"

namespace viaduct::dtls {

// | type | version: 2 | epoch: 2 | sequence: 6 | length: 2 |
inline constexpr size_t RecordHeaderBytes = 13;
// | type | length: 3 | sequence: 2 | fragment offset: 3 | fragment length: 3 |
inline constexpr size_t MessageHeaderBytes = 12;
inline constexpr uint8_t HandshakeRecord = 22;
inline constexpr uint8_t ClientHelloMessage = 1;
inline constexpr uint8_t ServerKeyExchangeMessage = 12;
inline constexpr uint8_t CertificateVerifyMessage = 15;

// The records of a datagram, each with its header.
inline std::vector<std::vector<uint8_t>> split_records(Bytes datagram) {
  std::vector<std::vector<uint8_t>> records;
  while (datagram.size() >= RecordHeaderBytes) {
    const size_t bytes = std::min(datagram.size(), RecordHeaderBytes + load_be16(&datagram[11]));
    records.emplace_back(datagram.begin(), datagram.begin() + static_cast<std::ptrdiff_t>(bytes));
    datagram = datagram.subspan(bytes);
  }
  return records;
}

inline uint16_t epoch_of(Bytes record) { return load_be16(&record[3]); }
inline uint64_t sequence_of(Bytes record) { return load_be64(&record[3]) & 0xffff'ffff'ffffu; }
inline void set_sequence(std::vector<uint8_t>& record, uint64_t sequence) {
  store_be64(&record[3], (uint64_t{epoch_of(record)} << 48) | sequence);
}

// Whether a record carries (a fragment of) this handshake message in clear.
inline bool carries(Bytes record, uint8_t message) {
  return record.size() > RecordHeaderBytes + MessageHeaderBytes && record[0] == HandshakeRecord &&
         epoch_of(record) == 0 && record[RecordHeaderBytes] == message;
}

// One handshake message's record as several, with `pieces` fragments and record sequence numbers from
// `sequence` up.
inline std::vector<std::vector<uint8_t>> fragment(Bytes record, size_t pieces, uint64_t sequence) {
  const Bytes body = record.subspan(RecordHeaderBytes + MessageHeaderBytes);
  std::vector<std::vector<uint8_t>> fragments;
  for (size_t i = 0; i < pieces; ++i) {
    const size_t from = body.size() * i / pieces;
    const size_t bytes = body.size() * (i + 1) / pieces - from;
    std::vector<uint8_t> piece(record.begin(), record.begin() + RecordHeaderBytes + MessageHeaderBytes);
    set_sequence(piece, sequence + i);
    store_be16(&piece[11], static_cast<uint16_t>(MessageHeaderBytes + bytes));
    store_be24(&piece[RecordHeaderBytes + 6], static_cast<uint32_t>(from));
    store_be24(&piece[RecordHeaderBytes + 9], static_cast<uint32_t>(bytes));
    const Bytes part = body.subspan(from, bytes);
    piece.insert(piece.end(), part.begin(), part.end());
    fragments.push_back(std::move(piece));
  }
  return fragments;
}

}  // namespace viaduct::dtls
