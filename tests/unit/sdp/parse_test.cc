#include <gmock/gmock.h>

#include "limits.h"
#include "tests/unit/sdp/offers.h"

namespace viaduct::sdp {
namespace {

using codec::CodecType;
using codec::MediaKind;
using rtp::ExtensionType;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::SizeIs;

using Named = std::pair<CodecType, int>;

std::vector<Named> payload_types(const MediaSection& section) {
  std::vector<Named> found;
  for (const PayloadFormat& f : section.formats) found.emplace_back(f.type, f.payload_type);
  return found;
}

TEST(SdpOffer, ReadsChromiumsSectionsInOrder) {
  const Offer offer = parsed(browser_offer("chromium"));
  ASSERT_THAT(offer.media, SizeIs(17));
  for (size_t i = 0; i < 17; ++i) {
    const MediaSection& section = offer.media[i];
    EXPECT_EQ(section.mid, std::to_string(i));
    EXPECT_FALSE(section.rejected);
    EXPECT_EQ(section.kind, i == 0 || (i >= 2 && i <= 4) ? MediaKind::Audio : MediaKind::Video);
    EXPECT_EQ(section.direction, i < 2 ? Direction::SendOnly : Direction::RecvOnly);
    EXPECT_TRUE(section.mixed_extensions);
    EXPECT_TRUE(section.reduced_size_rtcp);
  }
  EXPECT_EQ(offer.ice_ufrag, "kufH");
  EXPECT_EQ(offer.ice_pwd, "Wz+C8EXpfDWJEoNHLipNNcv+");
  EXPECT_EQ(offer.fingerprint_algorithm, "sha-256");
  ASSERT_THAT(offer.fingerprint, SizeIs(32));
  EXPECT_EQ(offer.fingerprint.front(), 0xf3);
  EXPECT_EQ(offer.fingerprint.back(), 0xb3);
  EXPECT_EQ(offer.setup, Setup::ActPass);
}

TEST(SdpOffer, ReadsFirefoxsBundleOnlySectionsAsAccepted) {
  const Offer offer = parsed(browser_offer("firefox"));
  ASSERT_THAT(offer.media, SizeIs(17));
  for (const MediaSection& section : offer.media) EXPECT_FALSE(section.rejected) << section.mid;
  EXPECT_EQ(offer.media[0].direction, Direction::SendOnly);
  EXPECT_EQ(offer.media[2].direction, Direction::RecvOnly);
  EXPECT_THAT(offer.fingerprint, SizeIs(32));
  EXPECT_TRUE(offer.media[0].mixed_extensions);
  EXPECT_FALSE(offer.media[0].reduced_size_rtcp);
  EXPECT_TRUE(offer.media[1].reduced_size_rtcp);
}

TEST(SdpOffer, KeepsForwardedFormatsWithTheirRtxAndSkipsTheRest) {
  const Offer chromium = parsed(browser_offer("chromium"));
  EXPECT_THAT(payload_types(chromium.media[0]), ElementsAre(Named{CodecType::Opus, 111}));
  EXPECT_EQ(chromium.media[0].formats[0].red_payload_type, 63);
  // VP9 profile 2, red and ulpfec are not there; each H.264 variant is.
  EXPECT_THAT(payload_types(chromium.media[1]),
              ElementsAre(Named{CodecType::Vp8, 96}, Named{CodecType::H264, 102}, Named{CodecType::H264, 104},
                          Named{CodecType::H264, 108}, Named{CodecType::H264, 114}, Named{CodecType::H264, 116},
                          Named{CodecType::H264, 39}, Named{CodecType::Av1, 45}, Named{CodecType::Vp9, 98}));
  EXPECT_EQ(chromium.media[1].formats[0].rtx_payload_type, 97);
  for (const PayloadFormat& f : chromium.media[1].formats) EXPECT_EQ(f.red_payload_type, std::nullopt);
  EXPECT_EQ(chromium.media[1].formats[2].fmtp,
            "level-asymmetry-allowed=1;packetization-mode=0;profile-level-id=42001f");

  const Offer firefox = parsed(browser_offer("firefox"));
  EXPECT_THAT(payload_types(firefox.media[1]),
              ElementsAre(Named{CodecType::Vp8, 120}, Named{CodecType::Vp9, 121}, Named{CodecType::Av1, 99}));
  EXPECT_EQ(firefox.media[1].formats[2].rtx_payload_type, 100);
}

TEST(SdpOffer, TakesRedOnlyWithBlocksOfOpusAlone) {
  const auto red_with = [](std::string_view lines) {
    const std::string listed = replaced(ShortOffer, "SAVPF 111\r\n", "SAVPF 111 63 0\r\n");
    const std::string rtpmap = "a=rtpmap:111 opus/48000/2\r\n";
    return parsed(replaced(listed, rtpmap, rtpmap + std::string(lines))).media[0].formats[0].red_payload_type;
  };
  EXPECT_EQ(red_with("a=rtpmap:63 red/48000/2\r\na=fmtp:63 111/111\r\n"), 63);
  EXPECT_EQ(red_with("a=rtpmap:63 RED/48000/2\r\na=fmtp:63 111\r\n"), 63);
  EXPECT_EQ(red_with("a=rtpmap:63 red/48000/2\r\n"), std::nullopt);
  for (const char* fmtp : {"111/0", "0/0", "63/63", "/111", "/", "111/x", "300/300", "200/200", "x"}) {
    EXPECT_EQ(red_with("a=rtpmap:63 red/48000/2\r\na=fmtp:63 " + std::string(fmtp) + "\r\n"), std::nullopt) << fmtp;
  }
  for (const char* rtpmap : {"red/8000", "red/48000", "red/90000/2", "red/48000/1", "redder/48000/2"}) {
    EXPECT_EQ(red_with("a=rtpmap:63 " + std::string(rtpmap) + "\r\na=fmtp:63 111/111\r\n"), std::nullopt) << rtpmap;
  }
}

TEST(SdpOffer, ReadsFeedbackOfEachFormat) {
  const Offer offer = parsed(browser_offer("firefox"));
  const PayloadFormat& vp8 = offer.media[1].formats[0];
  EXPECT_TRUE(vp8.nack && vp8.pli && vp8.fir && vp8.transport_cc);
  const PayloadFormat& opus = offer.media[0].formats[0];
  EXPECT_TRUE(opus.transport_cc);
  EXPECT_FALSE(opus.nack || opus.pli || opus.fir);
}

TEST(SdpOffer, AppliesWildcardFeedbackToEveryFormat) {
  const PayloadFormat vp8 = parsed(ShortOffer).media[1].formats[0];
  EXPECT_TRUE(vp8.nack);
  EXPECT_TRUE(vp8.pli);
  EXPECT_FALSE(vp8.fir);
}

TEST(SdpOffer, IgnoresLinesForPayloadTypesThatAreNotListed) {
  const Offer offer = parsed(replaced(ShortOffer, "a=rtcp-fb:96 nack pli\r\n",
                                      "a=rtcp-fb:122 nack pli\r\na=rtcp-fb:junk nack\r\na=fmtp:121 x=1\r\n"
                                      "a=rtpmap:121 VP9/90000\r\n"));
  EXPECT_THAT(payload_types(offer.media[1]), ElementsAre(Named{CodecType::Vp8, 96}));
  EXPECT_FALSE(offer.media[1].formats[0].pli);
}

TEST(SdpOffer, SkipsFormatsWithTheRightNameButAnotherClockOrChannels) {
  EXPECT_TRUE(parsed(replaced(ShortOffer, "VP8/90000", "VP8/8000")).media[1].rejected);
  EXPECT_TRUE(parsed(replaced(ShortOffer, "opus/48000/2", "opus/48000")).media[0].rejected);
  EXPECT_FALSE(parsed(replaced(ShortOffer, "opus/48000/2", "OPUS/48000/2")).media[0].rejected);
}

TEST(SdpOffer, KeepsOnlyProfileZeroOfVp9AndAv1) {
  const auto with = [](std::string_view format) {
    return parsed(replaced(ShortOffer, "a=rtpmap:96 VP8/90000", format)).media[1].rejected;
  };
  EXPECT_FALSE(with("a=rtpmap:96 VP9/90000"));
  EXPECT_FALSE(with("a=rtpmap:96 VP9/90000\r\na=fmtp:96 profile-id=0"));
  EXPECT_TRUE(with("a=rtpmap:96 VP9/90000\r\na=fmtp:96 x=1; Profile-ID = 2"));
  EXPECT_FALSE(with("a=rtpmap:96 AV1/90000\r\na=fmtp:96 level-idx=5;profile=0;tier=0"));
  EXPECT_TRUE(with("a=rtpmap:96 AV1/90000\r\na=fmtp:96 level-idx=5;profile=1;tier=0"));
}

TEST(SdpOffer, ReadsTheClientsSsrcsWhereItSends) {
  const Offer chromium = parsed(browser_offer("chromium"));
  EXPECT_EQ(chromium.media[0].ssrc, 3935717444u);
  EXPECT_EQ(chromium.media[0].rtx_ssrc, std::nullopt);
  EXPECT_EQ(chromium.media[1].ssrc, 2960724643u);
  EXPECT_EQ(chromium.media[1].rtx_ssrc, 2132205459u);
  EXPECT_EQ(chromium.media[1].msid, "75ca9874-386a-480e-a2ed-a0aa7576d83e ec5efca4-24ce-48c4-b67b-8273f3933201");

  const Offer firefox = parsed(browser_offer("firefox"));
  EXPECT_EQ(firefox.media[1].ssrc, 3300252237u);  // the FID group stands behind the SSRCs
  EXPECT_EQ(firefox.media[1].rtx_ssrc, 1097190784u);
  EXPECT_EQ(firefox.media[2].ssrc, std::nullopt) << "the SSRC of receiver reports is not a media SSRC";
}

TEST(SdpOffer, ReadsExtensionIdentifiers) {
  const Offer offer = parsed(browser_offer("chromium"));
  EXPECT_EQ(offer.media[0].extensions.id(ExtensionType::AudioLevel), 1);
  EXPECT_EQ(offer.media[0].extensions.id(ExtensionType::Mid), 4);
  EXPECT_EQ(offer.media[1].extensions.id(ExtensionType::TransportSequence), 3);
  EXPECT_EQ(offer.media[1].extensions.id(ExtensionType::VideoOrientation), 13);
  EXPECT_EQ(offer.media[1].extensions.id(ExtensionType::DependencyDescriptor), 0);
}

TEST(SdpOffer, LeavesOutExtensionsThatNeverFlowTheWayTheMediaDoes) {
  const Offer offer = parsed(browser_offer("firefox"));  // offers playout delay as extmap:6/recvonly
  EXPECT_FALSE(offer.media[1].extensions.has(ExtensionType::PlayoutDelay));
  EXPECT_EQ(offer.media[5].extensions.id(ExtensionType::PlayoutDelay), 6);
}

TEST(SdpOffer, IgnoresReservedAndProvisionalExtensionIdentifiers) {
  const Offer offer =
      parsed(replaced(ShortOffer, "a=extmap:1 ", "a=extmap:4097 urn:x\r\na=extmap:15 urn:y\r\na=extmap:1 "));
  EXPECT_EQ(offer.media[0].extensions.id(ExtensionType::AudioLevel), 1);
}

TEST(SdpOffer, RejectsSectionsWithPortZeroWithoutFailing) {
  const Offer offer = parsed(replaced(ShortOffer, "m=video 9 ", "m=video 0 "));
  EXPECT_FALSE(offer.media[0].rejected);
  EXPECT_TRUE(offer.media[1].rejected);
}

TEST(SdpOffer, RejectsADataChannelAndPlainRtpWithoutFailing) {
  const Offer offer = parsed(std::string(ShortOffer) +
                             "m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\na=mid:d\r\na=sctp-port:5000\r\n"
                             "m=audio 9 RTP/AVP 0\r\na=mid:p\r\n");
  ASSERT_THAT(offer.media, SizeIs(4));
  EXPECT_TRUE(offer.media[2].rejected);
  EXPECT_EQ(offer.media[2].media, "application");
  EXPECT_EQ(offer.media[2].format_list, "webrtc-datachannel");
  EXPECT_TRUE(offer.media[3].rejected);
}

TEST(SdpOffer, DefaultsToSendRecvAsRfc8866Says) {
  EXPECT_EQ(parsed(replaced(ShortOffer, "a=sendonly\r\n", "")).media[0].direction, Direction::SendRecv);
  const std::string session_level = replaced(ShortOffer, "a=setup:actpass\r\n", "a=setup:actpass\r\na=inactive\r\n");
  EXPECT_EQ(parsed(replaced(session_level, "a=sendonly\r\n", "")).media[0].direction, Direction::Inactive);
}

TEST(SdpOffer, PrefersTheTransportOfTheFirstAcceptedSectionToTheSessions) {
  const Offer offer = parsed(replaced(ShortOffer, "a=mid:a\r\n", "a=mid:a\r\na=ice-ufrag:mine\r\na=setup:active\r\n"));
  EXPECT_EQ(offer.ice_ufrag, "mine");
  EXPECT_EQ(offer.ice_pwd, "0123456789abcdefghijklmn");
  EXPECT_EQ(offer.setup, Setup::Active);
}

TEST(SdpOffer, TakesTheFirstFingerprintWithASecureHash) {
  const Offer offer = parsed(replaced(ShortOffer, "a=fingerprint:", "a=fingerprint:sha-1 00:01\r\na=fingerprint:"));
  EXPECT_EQ(offer.fingerprint_algorithm, "sha-256");
  EXPECT_EQ(offer.fingerprint.back(), 0x1f);
}

TEST(SdpOffer, ReadsLinesThatEndWithLfAlone) {
  std::string text(ShortOffer);
  std::erase(text, '\r');
  EXPECT_THAT(parsed(text).media, SizeIs(2));
}

TEST(SdpRefusal, SaysThatATextIsNoSdp) {
  EXPECT_THAT(refusal(""), HasSubstr("does not begin with v=0"));
  EXPECT_THAT(refusal("{\"type\":\"offer\"}"), HasSubstr("does not begin with v=0"));
  EXPECT_THAT(refusal(replaced(ShortOffer, "s=-", "nonsense")), HasSubstr("line 3: not of the form 'x=value'"));
  EXPECT_THAT(refusal(replaced(ShortOffer, "a=mid:a", "a=mid:\x01")), HasSubstr("line 12"));
}

TEST(SdpRefusal, SaysHowLongAnOfferMayBe) {
  const std::string text = std::string(ShortOffer) + "a=x:" + std::string(limits::SdpBytes, 'x') + "\r\n";
  EXPECT_THAT(refusal(text), HasSubstr("longer than " + std::to_string(limits::SdpBytes) + " bytes"));
}

TEST(SdpRefusal, NamesTheSectionThatIsNotBundled) {
  EXPECT_THAT(refusal(replaced(ShortOffer, "BUNDLE a v", "BUNDLE a")),
              HasSubstr("section 'v' is not in a=group:BUNDLE"));
  EXPECT_THAT(refusal(replaced(ShortOffer, "a=group:BUNDLE a v\r\n", "")), HasSubstr("section 'a'"));
}

TEST(SdpRefusal, NamesWhatASectionLacks) {
  EXPECT_THAT(refusal(replaced(ShortOffer, "a=rtcp-mux\r\n", "")),
              HasSubstr("line 10 (m=): the section has no a=rtcp-mux"));
  EXPECT_THAT(refusal(replaced(ShortOffer, "a=mid:a\r\n", "")), HasSubstr("line 10 (m=): the section has no a=mid"));
}

TEST(SdpRefusal, NamesWhatTheTransportLacks) {
  EXPECT_THAT(refusal(replaced(ShortOffer, "a=ice-ufrag:abcd\r\n", "")), HasSubstr("has no a=ice-ufrag"));
  EXPECT_THAT(refusal(replaced(ShortOffer, "a=ice-pwd:0123456789abcdefghijklmn\r\n", "")),
              HasSubstr("has no a=ice-pwd"));
  EXPECT_THAT(refusal(replaced(ShortOffer, "fingerprint:sha-256", "fingerprint:md5")),
              HasSubstr("has no a=fingerprint"));
}

TEST(SdpRefusal, NamesTheLineButNeverRepeatsItsSecret) {
  const std::string text = refusal(replaced(ShortOffer, "a=ice-pwd:0123456789abcdefghijklmn", "a=ice-pwd:secret!"));
  EXPECT_THAT(text, HasSubstr("line 7 (a=ice-pwd)"));
  EXPECT_EQ(text.find("secret"), std::string::npos);
}

TEST(SdpRefusal, ChecksTheFormOfTransportAttributes) {
  EXPECT_THAT(refusal(replaced(ShortOffer, "a=ice-ufrag:abcd", "a=ice-ufrag:abc")), HasSubstr("(a=ice-ufrag)"));
  EXPECT_THAT(refusal(replaced(ShortOffer, "00:01:02", "00:01:0g")), HasSubstr("(a=fingerprint): not 32 bytes"));
  EXPECT_THAT(refusal(replaced(ShortOffer, "00:01:02", "00:01-02")), HasSubstr("(a=fingerprint): not 32 bytes"));
  EXPECT_THAT(refusal(replaced(ShortOffer, "00:01:02:", "00:01:")), HasSubstr("(a=fingerprint): not 32 bytes"));
  EXPECT_THAT(refusal(replaced(ShortOffer, "actpass", "holdconn")), HasSubstr("(a=setup)"));
}

TEST(SdpRefusal, NamesNumbersThatMeanTwoThings) {
  const std::string clash = replaced(ShortOffer, "SAVPF 96 97", "SAVPF 96 97 111");
  EXPECT_THAT(refusal(replaced(clash, "a=rtpmap:96", "a=rtpmap:111 VP9/90000\r\na=rtpmap:96")),
              HasSubstr("line 18 (m=): payload type 111 means two different things"));
  EXPECT_THAT(refusal(replaced(ShortOffer, "a=extmap:4 ", "a=extmap:1 ")),
              HasSubstr("extension 1 means two different"));
  EXPECT_THAT(refusal(replaced(ShortOffer, "a=extmap:4 ",
                               "a=extmap:5 urn:ietf:params:rtp-hdrext:ssrc-audio-level\r\na=extmap:4 ")),
              HasSubstr("ssrc-audio-level has two different identifiers"));
  EXPECT_THAT(refusal(replaced(ShortOffer, "a=rtpmap:97 rtx", "a=rtpmap:96 VP9/90000\r\na=rtpmap:97 rtx")),
              HasSubstr("already mapped"));
  EXPECT_THAT(refusal(replaced(ShortOffer, "a=fmtp:97 apt=96", "a=fmtp:97 apt=96\r\na=fmtp:97 apt=96")),
              HasSubstr("already has parameters"));
  EXPECT_THAT(refusal(replaced(ShortOffer, "a=mid:v", "a=mid:a")), HasSubstr("two sections have a=mid:a"));
}

TEST(SdpRefusal, ChecksTheMediaLine) {
  EXPECT_THAT(refusal(replaced(ShortOffer, "SAVPF 111", "SAVPF")), HasSubstr("m=media port protocol formats"));
  EXPECT_THAT(refusal(replaced(ShortOffer, "m=audio 9", "m=audio x")), HasSubstr("m=media port protocol formats"));
  EXPECT_THAT(refusal(replaced(ShortOffer, "SAVPF 111", "SAVPF 128")), HasSubstr("from 0 to 127"));
  EXPECT_THAT(refusal(replaced(ShortOffer, "SAVPF 111", "SAVPF 111 111")), HasSubstr("listed twice"));
}

TEST(SdpRefusal, NeedsAtLeastOneSectionToAccept) {
  EXPECT_THAT(refusal("v=0\r\ns=-\r\n"), HasSubstr("no audio or video section"));
  EXPECT_THAT(refusal("v=0\r\nm=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\na=mid:0\r\n"),
              HasSubstr("no audio or video section"));
}

// ShortOffer with `count` more audio sections of a direction.
std::string with_more_sections(size_t count, const std::string& direction) {
  std::string group = "BUNDLE a v";
  std::string sections;
  for (size_t i = 0; i < count; ++i) {
    group += " x" + std::to_string(i);
    sections += "m=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=mid:x" + std::to_string(i) + "\r\na=rtcp-mux\r\na=" + direction +
                "\r\na=rtpmap:111 opus/48000/2\r\n";
  }
  return replaced(ShortOffer, "BUNDLE a v", group) + sections;
}

TEST(SdpRefusal, CountsSectionsAgainstTheLimits) {
  EXPECT_EQ(refusal(with_more_sections(limits::AudioSlotsPerEndpoint, "recvonly")), "");
  EXPECT_THAT(refusal(with_more_sections(limits::AudioSlotsPerEndpoint + 1, "recvonly")),
              HasSubstr("more than " + std::to_string(limits::AudioSlotsPerEndpoint) + " recvonly audio sections"));
  EXPECT_EQ(refusal(with_more_sections(limits::SourcesPerEndpoint - 1, "sendonly")), "");
  EXPECT_THAT(refusal(with_more_sections(limits::SourcesPerEndpoint, "sendrecv")), HasSubstr("sections to send in"));
  EXPECT_THAT(refusal(with_more_sections(100, "inactive")), HasSubstr("sections"));
}

TEST(SdpRefusal, CountsPayloadTypesAgainstTheLimit) {
  std::string list = "SAVPF 96 97";
  std::string maps;
  for (size_t pt = 0; pt < limits::PayloadTypesPerEndpoint; ++pt) {
    list += " " + std::to_string(pt);
    maps += "a=rtpmap:" + std::to_string(pt) + " VP8/90000\r\n";
  }
  EXPECT_THAT(refusal(replaced(ShortOffer, "SAVPF 96 97", list) + maps), HasSubstr("payload types"));
}

}  // namespace
}  // namespace viaduct::sdp
