#include <gmock/gmock.h>

#include "tests/unit/sdp/offers.h"

namespace viaduct::sdp {
namespace {

using codec::CodecType;
using rtp::ExtensionType;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;
using ::testing::StartsWith;

size_t count(std::string_view text, std::string_view what) {
  size_t n = 0;
  for (size_t at = text.find(what); at != std::string_view::npos; at = text.find(what, at + what.size())) ++n;
  return n;
}

TEST(SdpAnswer, IsWrittenByteForByte) {
  const Offer offer = parsed(ShortOffer);
  Answer answer = answer_for(offer);
  answer.fingerprint = {0xab, 0xcd, 0x01};
  EXPECT_EQ(write_answer(offer, answer, AllVideo),
            "v=0\r\n"
            "o=- 1 1 IN IP4 0.0.0.0\r\n"
            "s=-\r\n"
            "t=0 0\r\n"
            "a=ice-lite\r\n"
            "a=group:BUNDLE a v\r\n"
            "m=audio 10000 UDP/TLS/RTP/SAVPF 111\r\n"
            "c=IN IP4 192.0.2.1\r\n"
            "a=ice-ufrag:brdg\r\n"
            "a=ice-pwd:nmlkjihgfedcba9876543210\r\n"
            "a=fingerprint:sha-256 AB:CD:01\r\n"
            "a=setup:passive\r\n"
            "a=mid:a\r\n"
            "a=recvonly\r\n"
            "a=rtcp-mux\r\n"
            "a=extmap:1/recvonly urn:ietf:params:rtp-hdrext:ssrc-audio-level\r\n"
            "a=rtpmap:111 opus/48000/2\r\n"
            "a=fmtp:111 minptime=10;useinbandfec=1\r\n"
            "a=rtcp-fb:111 transport-cc\r\n"
            "a=candidate:1 1 udp 2130706431 192.0.2.1 10000 typ host\r\n"
            "a=end-of-candidates\r\n"
            "m=video 10000 UDP/TLS/RTP/SAVPF 96 97\r\n"
            "c=IN IP4 192.0.2.1\r\n"
            "a=ice-ufrag:brdg\r\n"
            "a=ice-pwd:nmlkjihgfedcba9876543210\r\n"
            "a=fingerprint:sha-256 AB:CD:01\r\n"
            "a=setup:passive\r\n"
            "a=mid:v\r\n"
            "a=sendonly\r\n"
            "a=rtcp-mux\r\n"
            "a=extmap:4/sendonly urn:ietf:params:rtp-hdrext:sdes:mid\r\n"
            "a=rtpmap:96 VP8/90000\r\n"
            "a=rtcp-fb:96 nack\r\n"
            "a=rtcp-fb:96 nack pli\r\n"
            "a=rtpmap:97 rtx/90000\r\n"
            "a=fmtp:97 apt=96\r\n"
            "a=msid:slot track\r\n"
            "a=ssrc-group:FID 1000 1001\r\n"
            "a=ssrc:1000 cname:bridge\r\n"
            "a=ssrc:1001 cname:bridge\r\n");
}

TEST(SdpAnswer, AcceptsEverySectionOfBothBrowsersAndCanBeReadBack) {
  for (const char* browser : {"chromium", "firefox"}) {
    const Offer offer = parsed(browser_offer(browser));
    const std::string answer = write_answer(offer, answer_for(offer), AllVideo);
    EXPECT_EQ(count(answer, "a=recvonly\r\n"), 2u);
    EXPECT_EQ(count(answer, "a=sendonly\r\n"), 15u);
    EXPECT_EQ(count(answer, " cname:bridge\r\n"), 3u + 2 * 12u);
    // Read as an offer, for which the slots' direction stands for too many sources.
    std::string readable = answer;
    while (readable.find("a=sendonly") != std::string::npos) readable = replaced(readable, "a=sendonly", "a=inactive");
    const Offer read = parsed(readable);
    ASSERT_THAT(read.media, SizeIs(17)) << browser;
    for (size_t i = 0; i < 17; ++i) {
      EXPECT_FALSE(read.media[i].rejected) << browser << " " << i;
      EXPECT_EQ(read.media[i].mid, offer.media[i].mid);
      EXPECT_EQ(read.media[i].kind, offer.media[i].kind);
    }
    EXPECT_EQ(read.setup, Setup::Passive);
    EXPECT_EQ(read.ice_ufrag, "brdg");
  }
}

// Video in red would be wrapped whole; sound in it is red/48000/2.
TEST(SdpAnswer, NeverAcceptsRedForVideoNorUlpfecFlexfecOrRemb) {
  for (const char* browser : {"chromium", "firefox"}) {
    const std::string answer = answer_text(browser_offer(browser));
    for (const char* unwanted : {" red/90000", "ulpfec", "flexfec", "goog-remb", "telephone-event", "PCMU", "CN/"}) {
      EXPECT_EQ(answer.find(unwanted), std::string::npos) << browser << ": " << unwanted;
    }
  }
}

// A browser sends what stands first, and takes what stands anywhere.
TEST(SdpAnswer, TakesRedForSoundBehindOpusInSourcesAndSlots) {
  const std::string answer = answer_text(browser_offer("chromium"));
  for (const char* mid : {"0", "2", "4"}) {
    EXPECT_THAT(section_of(answer, mid),
                AllOf(StartsWith("m=audio 10000 UDP/TLS/RTP/SAVPF 111 63\r\n"),
                      HasSubstr("a=rtpmap:63 red/48000/2\r\na=fmtp:63 111/111\r\n")));
  }
  EXPECT_THAT(section_of(answer, "1"), Not(HasSubstr(" red/")));
  EXPECT_THAT(answer_text(browser_offer("firefox")), Not(HasSubstr(" red/"))) << "it offers none for sound";
}

TEST(SdpAnswer, OrdersVideoByThePreferenceAndLeavesOutTheRest) {
  const Offer offer = parsed(browser_offer("chromium"));
  const std::string answer = write_answer(offer, answer_for(offer), {CodecType::Av1, CodecType::Vp8});
  EXPECT_THAT(section_of(answer, "1"), StartsWith("m=video 10000 UDP/TLS/RTP/SAVPF 45 46 96 97\r\n"));
  EXPECT_THAT(section_of(answer, "0"), StartsWith("m=audio 10000 UDP/TLS/RTP/SAVPF 111 63\r\n"));
}

TEST(SdpAnswer, RejectsASectionOfWhichItWantsNoFormat) {
  const Offer offer = parsed(browser_offer("firefox"));  // no H.264
  const std::string answer = write_answer(offer, answer_for(offer), {CodecType::H264});
  EXPECT_THAT(section_of(answer, "1"), StartsWith("m=video 0 UDP/TLS/RTP/SAVPF 120 124 "));
  EXPECT_THAT(answer, HasSubstr("a=group:BUNDLE 0 2 3 4\r\n"));
}

TEST(SdpAnswer, RejectsADataChannelWithPortZeroAndLeavesItOutOfTheBundle) {
  const std::string answer = answer_text(replaced(ShortOffer, "BUNDLE a v", "BUNDLE a v d") +
                                         "m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\na=mid:d\r\n");
  EXPECT_THAT(section_of(answer, "d"), StartsWith("m=application 0 UDP/DTLS/SCTP webrtc-datachannel\r\n"));
  EXPECT_THAT(answer, HasSubstr("a=group:BUNDLE a v\r\n"));
}

TEST(SdpAnswer, PutsCandidatesIntoTheFirstAcceptedSectionOnly) {
  const std::string answer = answer_text(replaced(ShortOffer, "m=audio 9", "m=audio 0"));
  EXPECT_THAT(section_of(answer, "a"), Not(HasSubstr("a=candidate")));
  EXPECT_THAT(section_of(answer, "v"), HasSubstr("a=candidate:1 1 udp 2130706431 192.0.2.1 10000 typ host"));
  EXPECT_EQ(count(answer, "a=end-of-candidates"), 1u);
}

TEST(SdpAnswer, RanksCandidatesInTheGivenOrder) {
  const Offer offer = parsed(ShortOffer);
  Answer answer = answer_for(offer);
  answer.candidates = {{*IpAddress::parse("2001:db8::1"), 10000}, {IpAddress::v4(0xc0000201), 10001}};
  const std::string text = write_answer(offer, answer, AllVideo);
  EXPECT_THAT(text, HasSubstr("m=audio 10000 "));
  EXPECT_THAT(text, HasSubstr("c=IN IP6 2001:db8::1\r\n"));
  EXPECT_THAT(text, HasSubstr("a=candidate:1 1 udp 2130706431 2001:db8::1 10000 typ host\r\n"
                              "a=candidate:2 1 udp 2130706175 192.0.2.1 10001 typ host\r\n"));
}

TEST(SdpAnswer, UsesThePlaceholderAddressWithoutCandidates) {
  const Offer offer = parsed(ShortOffer);
  Answer answer = answer_for(offer);
  answer.candidates.clear();
  const std::string text = write_answer(offer, answer, AllVideo);
  EXPECT_THAT(text, HasSubstr("m=audio 9 UDP/TLS/RTP/SAVPF 111\r\nc=IN IP4 0.0.0.0\r\n"));
  EXPECT_THAT(text, Not(HasSubstr("candidate")));
}

TEST(SdpAnswer, AgreesOnTransportFeedbackBothWays) {
  const std::string answer = answer_text(browser_offer("chromium"));
  EXPECT_THAT(section_of(answer, "0"), AllOf(HasSubstr("transport-cc"), Not(HasSubstr("nack"))));
  EXPECT_THAT(section_of(answer, "1"), AllOf(HasSubstr("a=rtcp-fb:96 transport-cc"), HasSubstr("a=rtcp-fb:96 nack pli"),
                                             HasSubstr("a=rtcp-fb:96 ccm fir"),
                                             HasSubstr("transport-wide-cc-extensions-01")));
  EXPECT_THAT(section_of(answer, "2"), HasSubstr("transport-wide-cc-extensions-01"));
  EXPECT_THAT(section_of(answer, "5"), AllOf(HasSubstr("a=rtcp-fb:96 transport-cc"), HasSubstr("a=rtcp-fb:96 nack\r\n"),
                                             Not(HasSubstr("goog-remb"))));
}

TEST(SdpAnswer, AcceptsExtensionsByDirection) {
  MediaSection section;
  for (int i = 0; i < rtp::ExtensionTypes; ++i) {
    section.extensions.set(static_cast<ExtensionType>(i), static_cast<uint8_t>(i + 1));
  }
  const auto accepted = [&](Direction direction) {
    std::vector<ExtensionType> types;
    for (int i = 0; i < rtp::ExtensionTypes; ++i) {
      const auto type = static_cast<ExtensionType>(i);
      if (accepted_extensions(section, direction).id(type) == i + 1) types.push_back(type);
    }
    return types;
  };
  using enum ExtensionType;
  using ::testing::ElementsAre;
  EXPECT_THAT(accepted(Direction::RecvOnly), ElementsAre(AudioLevel, Mid, Rid, RepairedRid, TransportSequence,
                                                         VideoOrientation, AbsCaptureTime));
  EXPECT_THAT(accepted(Direction::SendOnly),
              ElementsAre(Mid, TransportSequence, VideoOrientation, PlayoutDelay, AbsCaptureTime));
  EXPECT_THAT(accepted(Direction::SendRecv), ElementsAre(AudioLevel, Mid, Rid, RepairedRid, TransportSequence,
                                                         VideoOrientation, PlayoutDelay, AbsCaptureTime));
  EXPECT_THAT(accepted(Direction::Inactive), IsEmpty());

  section.mixed_extensions = true;
  EXPECT_THAT(accepted(Direction::RecvOnly),
              ElementsAre(AudioLevel, Mid, Rid, RepairedRid, TransportSequence, VideoOrientation, AbsCaptureTime,
                          DependencyDescriptor, VideoLayersAllocation));
  EXPECT_THAT(accepted(Direction::SendOnly), ElementsAre(Mid, TransportSequence, VideoOrientation, PlayoutDelay,
                                                         AbsCaptureTime, DependencyDescriptor));
  EXPECT_THAT(accepted(Direction::Inactive), IsEmpty());
}

// Browsers offer the descriptor when their page asks for it. It flows both ways, but only where elements longer than 16
// bytes may.
TEST(SdpAnswer, TakesDependencyDescriptorsOnlyTogetherWithMixedExtensions) {
  const std::string uri(rtp::uri_of(ExtensionType::DependencyDescriptor));
  const std::string offered = std::string(ShortOffer) + ("a=extmap:9 " + uri + "\r\n");
  EXPECT_THAT(answer_text(offered), Not(HasSubstr(uri)));
  EXPECT_THAT(section_of(answer_text(offered + "a=extmap-allow-mixed\r\n"), "v"),
              AllOf(HasSubstr("a=extmap:9/sendonly " + uri + "\r\n"), HasSubstr("a=extmap-allow-mixed\r\n")));
  const std::string sends = replaced(offered, "a=recvonly", "a=sendonly") + "a=extmap-allow-mixed\r\n";
  EXPECT_THAT(section_of(answer_text(sends), "v"), HasSubstr("a=extmap:9/recvonly " + uri + "\r\n"));
}

TEST(SdpAnswer, AcceptsOneH264FormatConstrainedBaselineWhereOffered) {
  const Offer offer = parsed(browser_offer("chromium"));
  const auto formats = accepted_formats(offer.media[1], {CodecType::H264});
  ASSERT_THAT(formats, SizeIs(1));
  EXPECT_EQ(formats[0].payload_type, 108);
  EXPECT_EQ(formats[0].rtx_payload_type, 109);
}

TEST(SdpAnswer, FallsBackToAnotherH264ProfileButNeverToSingleNalUnits) {
  const auto h264 = [](const std::string& fmtp) {
    return PayloadFormat{.payload_type = 100,
                         .rtx_payload_type = {},
                         .red_payload_type = {},
                         .type = CodecType::H264,
                         .fmtp = fmtp};
  };
  MediaSection section;
  section.kind = codec::MediaKind::Video;
  section.formats = {h264("packetization-mode=0;profile-level-id=42e01f"), h264("profile-level-id=42e01f")};
  EXPECT_THAT(accepted_formats(section, AllVideo), IsEmpty());
  section.formats.push_back(h264("packetization-mode=1;profile-level-id=640c1f"));
  section.formats.push_back(h264("packetization-mode=1;profile-level-id=4d001f"));
  ASSERT_THAT(accepted_formats(section, AllVideo), SizeIs(1));
  EXPECT_EQ(accepted_formats(section, AllVideo)[0].fmtp, "packetization-mode=1;profile-level-id=640c1f");
}

TEST(SdpAnswer, DoesNotRepeatLimitsThatTheClientStatesForItsReceiver) {
  const std::string answer = answer_text(browser_offer("firefox"));
  EXPECT_THAT(answer, AllOf(Not(HasSubstr("max-fs")), Not(HasSubstr("stereo")), Not(HasSubstr("maxplaybackrate"))));
  EXPECT_THAT(answer, HasSubstr("a=fmtp:109 minptime=10;useinbandfec=1\r\n"));
}

TEST(SdpAnswer, UsesReducedSizeRtcpAndMixedExtensionsOnlyWhenOffered) {
  const std::string firefox = answer_text(browser_offer("firefox"));
  EXPECT_THAT(section_of(firefox, "0"), AllOf(Not(HasSubstr("rtcp-rsize")), HasSubstr("a=extmap-allow-mixed")));
  EXPECT_THAT(section_of(firefox, "1"), HasSubstr("a=rtcp-rsize"));
  EXPECT_THAT(answer_text(ShortOffer), AllOf(Not(HasSubstr("rtcp-rsize")), Not(HasSubstr("extmap-allow-mixed"))));
}

TEST(SdpAnswer, TakesTheDtlsRoleThatTheClientLeaves) {
  EXPECT_EQ(answer_setup(Setup::ActPass), Setup::Passive);
  EXPECT_EQ(answer_setup(Setup::Active), Setup::Passive);
  EXPECT_EQ(answer_setup(Setup::Passive), Setup::Active);
  EXPECT_THAT(answer_text(replaced(ShortOffer, "actpass", "passive")), HasSubstr("a=setup:active\r\n"));
}

}  // namespace
}  // namespace viaduct::sdp
