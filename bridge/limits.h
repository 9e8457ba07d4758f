// Every bound in the program, and how they hang together.
//
// A peer can make nothing grow beyond these. Configuration may lower some of them; it can raise
// none.
#pragma once

#include <cstddef>

#include "base/time.h"

namespace viaduct::limits {

// Packets. A UDP payload of a WebRTC peer stays under 1,500 bytes; what is longer is dropped on
// arrival.
inline constexpr size_t MaxPacketBytes = 1500;
inline constexpr size_t PacketHeadroomBytes =
    128;  // in front, for headers that grow when they are rewritten
inline constexpr size_t PacketTailroomBytes =
    64;  // behind, for an authentication tag and SRTCP's index
inline constexpr size_t PacketBufferBytes = 1792;
static_assert(PacketHeadroomBytes + MaxPacketBytes + PacketTailroomBytes <= PacketBufferBytes);

// Batches.
inline constexpr size_t RxBatchPackets = 64;    // taken from the network in one turn
inline constexpr size_t TxBatchPackets = 64;    // sealed and handed to the network together: 112 KiB of buffers
inline constexpr size_t RxBatchesInFlight = 8;  // per worker, while a cipher has not finished them
inline constexpr size_t TxBatchesInFlight = 512;

// A GPU in place of the CPU's ciphers.
inline constexpr Duration LongestCipherWait = 2ms;  // a batch is not given to it if it would take longer
inline constexpr Duration LongestLaunch = 1s;       // a GPU that has not answered by then has failed
static_assert(LongestCipherWait < LongestLaunch);

inline constexpr Duration LongestGather = 1ms;  // a packet waits for others, when the worker is busy

// People and streams.
inline constexpr size_t MaxWorkers = 64;
inline constexpr size_t EndpointsPerWorker = 4096;
inline constexpr size_t ConferencesPerWorker = 2048;
inline constexpr size_t EndpointsPerConference = 500;
inline constexpr size_t SourcesPerEndpoint = 4;  // a microphone, a camera, a screen and its sound
inline constexpr size_t EncodingsPerSource = 3;  // of simulcast
inline constexpr size_t AudioSlotsPerEndpoint = 8;
inline constexpr size_t VideoSlotsPerEndpoint = 32;
inline constexpr size_t PayloadTypesPerEndpoint = 32;
inline constexpr size_t PicturesNamedPerWish = 64;  // in one list of a receiver's wishes
inline constexpr size_t RecentSpeakersTold = 16;
inline constexpr size_t SsrcsPerEndpoint = 64;   // authenticated, with replay state (RFC 3711)
static_assert(SsrcsPerEndpoint >= SourcesPerEndpoint * EncodingsPerSource * 4,
              "media and RTX of each encoding, with room for SSRC changes");
static_assert(EndpointsPerConference <= EndpointsPerWorker);
static_assert(TxBatchesInFlight * TxBatchPackets >= RxBatchPackets * EndpointsPerConference,
              "a full batch to everyone");

// ICE and DTLS.
inline constexpr size_t ValidatedAddressesPerEndpoint = 8;
inline constexpr Duration ConsentTimeout = 30s;  // RFC 7675 section 5.1
inline constexpr Duration ResumeTimeout = 30s;   // from a cut socket to `resume` on another; media goes on meanwhile
static_assert(ResumeTimeout <= ConsentTimeout, "nobody is waited for whose media connection is lost");
inline constexpr Duration HandshakeTimeout = 30s;
inline constexpr size_t HandshakeBytes = 64 * 1024;  // received for one, repetitions included
inline constexpr size_t HandshakesInFlight = 10'000;
inline constexpr size_t DtlsMtuBytes = 1200;

// Resending.
inline constexpr size_t ResendPacketsPerSource = 512;
inline constexpr Duration ResendMaxAge = 3s;
inline constexpr size_t MissingPacketsPerSource = 1000;
inline constexpr size_t HeldPacketsPerEndpoint = 512;  // pictures' packets that wait for a receiver's network
static_assert(ResendPacketsPerSource < 32768, "half of the sequence number space");

// Congestion control, for each client: a second at the highest rate it starts with.
inline constexpr size_t SentPacketsRemembered = 2048;
static_assert((SentPacketsRemembered & (SentPacketsRemembered - 1)) == 0 && SentPacketsRemembered <= 32768,
              "found by the low bits of a number of 16 bits");

// Threads.
inline constexpr size_t CommandRingEntries = 1024;
inline constexpr size_t ReportRingEntries = 8192;
inline constexpr size_t HandshakeRingEntries = 1024;
// From one worker to another, of conferences on both: some milliseconds at a core's full rate.
inline constexpr size_t RelayRingEntries = 512;
static_assert(MaxWorkers <= 64, "a set of workers is a mask of 64 bits");

// Mixed audio.
inline constexpr size_t MixCandidates = 16;  // sources of a conference that are decoded: the loudest
inline constexpr size_t MixVoices = 10;      // of these, heard at a time
inline constexpr size_t MixedVoices = 2 * MixVoices;  // in one frame, with those who are faded out
static_assert(MixCandidates >= MixVoices);
inline constexpr size_t SoundPacketBytes = 1275;  // of Opus (RFC 6716 section 3.2.1)
inline constexpr size_t MixedFrameBytes = 400;    // 160 kbit/s, five times what is asked of Opus
inline constexpr size_t MixRequestRingEntries = 1024;
inline constexpr size_t MixedFrameRingEntries = 1024;
inline constexpr int MixLossPercentLeast = 10;  // that listeners' encodings are made for
inline constexpr int MixLossPercentMost = 30;

// Secrets (secrecy/secret_memory.h): keys, passwords and all that OpenSSL holds. A handshake that has
// ended leaves some 50 KiB with OpenSSL for as long as its participant stays.
inline constexpr size_t SecretMemoryBytes = size_t{6} << 30;
inline constexpr size_t SecretMemoryForProgramBytes = size_t{2} << 30;  // OpenSSL never gets these
// Passwords, master and session keys, and the latter expanded for both directions.
inline constexpr size_t SecretBytesPerEndpoint = 8192;
static_assert(SecretMemoryForProgramBytes >=
                  EndpointsPerWorker * MaxWorkers * SecretBytesPerEndpoint,
              "no number of participants can leave the bridge without room for its own keys");
static_assert(SecretMemoryBytes > SecretMemoryForProgramBytes);
inline constexpr size_t SecretFileBytes = 1024 * 1024;  // a key or token secret in a file

// Wiping of packet buffers that have come back.
inline constexpr size_t WipedPacketsPerTick = 256;  // at least; larger pools need more to be done in time
inline constexpr Duration WipeWithin = 4s;          // of a buffer's return, which leaves 1 s of 5 for sleepers

// Signalling.
inline constexpr size_t SdpBytes = 192 * 1024;  // Chromium writes 5 KiB for each video slot
inline constexpr size_t SignallingMessageBytes = 256 * 1024;
static_assert(SignallingMessageBytes >= SdpBytes + SdpBytes / 8,
              "an offer fits, with its line ends escaped in JSON");
inline constexpr size_t NameCharacters = 64;
// What participants say to each other by way of the bridge. A message to all is sent on to each of
// them, so it is far shorter.
inline constexpr size_t RelayBytes = 64 * 1024;
inline constexpr size_t RelayToAllBytes = 4 * 1024;
static_assert(SignallingMessageBytes >= 2 * RelayBytes, "a relay fits, with its quotes escaped");
inline constexpr size_t ProtectionTextBytes = 128;  // a cipher's name, a fingerprint by SHA-256
inline constexpr size_t PrivacyReportBytes = 512 * 1024;  // to a client, at most once a second
inline constexpr size_t JsonDepth = 16;

}  // namespace viaduct::limits
