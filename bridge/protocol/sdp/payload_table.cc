#include "protocol/sdp/payload_table.h"

#include <optional>

#include "protocol/sdp/fmtp.h"

namespace viaduct::sdp {
namespace {

// encoding-name/clock-rate[/channels] (RFC 8866 section 6.6).
std::optional<codec::CodecType> codec_of(std::string_view rtpmap) {
  const auto type = codec::codec_from_name(take_until(rtpmap, '/'));
  if (!type || parse_number<uint32_t>(take_until(rtpmap, '/')) != codec::clock_rate_of(*type)) return std::nullopt;
  const std::string_view channels = *type == codec::CodecType::Opus ? "2" : "";  // RFC 7587 section 7: always 2
  return rtpmap == channels ? type : std::nullopt;
}

// RED with the clock and the channels of Opus.
bool is_red_of_opus(std::string_view rtpmap) {
  return same_name(take_until(rtpmap, '/'), "red") && rtpmap == "48000/2";
}

// The payload type of all blocks that RED with these parameters has: "111/111" (RFC 2198 section 5). Nothing for blocks
// of several formats.
std::optional<uint8_t> block_type_of(std::string_view fmtp) {
  const auto first = parse_number<uint8_t>(take_until(fmtp, '/'));
  while (first && !fmtp.empty()) {
    if (parse_number<uint8_t>(take_until(fmtp, '/')) != first) return std::nullopt;
  }
  return first;
}

bool is_rtx(std::string_view rtpmap) { return same_name(take_until(rtpmap, '/'), "rtx"); }

}  // namespace

Result<void> PayloadTable::list(const Line& line, std::string_view format_list) {
  for (std::string_view word = take_word(format_list); !word.empty(); word = take_word(format_list)) {
    const auto payload_type = parse_number<uint8_t>(word);
    if (!payload_type || *payload_type >= PayloadTypes) {
      return error_at(line, "a payload type is a number from 0 to 127");
    }
    if (payloads_[*payload_type].listed) {
      return error_at(line, "payload type " + std::to_string(*payload_type) + " is listed twice");
    }
    payloads_[*payload_type].listed = true;
    order_.push_back(*payload_type);
  }
  return {};
}

Result<void> PayloadTable::handle_rtpmap(const Line& line) {
  std::string_view rest = line.rest;
  Payload* payload = find(rest);
  if (!payload) return {};
  const std::string_view rtpmap = take_word(rest);
  if (!payload->mapping.rtpmap.empty() && !same_name(payload->mapping.rtpmap, rtpmap)) {
    return error_at(line, "the payload type is already mapped to another format");
  }
  payload->mapping.rtpmap = rtpmap;
  return {};
}

Result<void> PayloadTable::handle_fmtp(const Line& line) {
  std::string_view rest = line.rest;
  Payload* payload = find(rest);
  if (!payload) return {};
  if (!payload->mapping.fmtp.empty()) return error_at(line, "the payload type already has parameters");
  payload->mapping.fmtp = rest;
  return {};
}

void PayloadTable::handle_feedback(const Line& line) {
  std::string_view rest = line.rest;
  Feedback* feedback = &for_all_;
  if (rest.starts_with("* ")) {
    take_word(rest);
  } else if (Payload* payload = find(rest)) {
    feedback = &payload->feedback;
  } else {
    return;
  }
  const std::string_view kind = take_word(rest);
  const std::string_view parameter = take_word(rest);
  if (kind == "nack" && parameter.empty()) feedback->nack = true;
  if (kind == "nack" && parameter == "pli") feedback->pli = true;
  if (kind == "ccm" && parameter == "fir") feedback->fir = true;
  if (kind == "transport-cc") feedback->transport_cc = true;
  if (kind == "goog-remb") feedback->remb = true;
  if (kind == "ack" && parameter == "ccfb") feedback->ccfb = true;
}

std::vector<PayloadFormat> PayloadTable::formats(codec::MediaKind kind) const {
  std::vector<PayloadFormat> formats;
  std::array<PayloadFormat*, PayloadTypes> by_type{};
  formats.reserve(order_.size());  // keeps the pointers valid
  for (const uint8_t payload_type : order_) {
    const Payload& payload = payloads_[payload_type];
    const auto type = codec_of(payload.mapping.rtpmap);
    if (!type || codec::kind_of(*type) != kind || !forwards_variant(*type, payload.mapping.fmtp)) continue;
    by_type[payload_type] = &formats.emplace_back(PayloadFormat{
        .payload_type = payload_type,
        .rtx_payload_type = std::nullopt,
        .red_payload_type = std::nullopt,
        .type = *type,
        .fmtp = std::string(payload.mapping.fmtp),
        .nack = payload.feedback.nack || for_all_.nack,
        .pli = payload.feedback.pli || for_all_.pli,
        .fir = payload.feedback.fir || for_all_.fir,
        .transport_cc = payload.feedback.transport_cc || for_all_.transport_cc,
        .remb = payload.feedback.remb || for_all_.remb,
        .ccfb = payload.feedback.ccfb || for_all_.ccfb,
    });
  }
  for (const uint8_t payload_type : order_) {
    const Mapping& mapping = payloads_[payload_type].mapping;
    if (!is_rtx(mapping.rtpmap)) continue;
    const auto apt = parse_number<uint8_t>(fmtp_parameter(mapping.fmtp, "apt").value_or(""));
    if (!apt || *apt >= PayloadTypes || !by_type[*apt]) continue;
    if (!by_type[*apt]->rtx_payload_type) by_type[*apt]->rtx_payload_type = payload_type;
  }
  for (const uint8_t payload_type : order_) {
    const Mapping& mapping = payloads_[payload_type].mapping;
    if (!is_red_of_opus(mapping.rtpmap)) continue;
    const auto of = block_type_of(mapping.fmtp);
    if (!of || *of >= PayloadTypes || !by_type[*of] || by_type[*of]->type != codec::CodecType::Opus) continue;
    if (!by_type[*of]->red_payload_type) by_type[*of]->red_payload_type = payload_type;
  }
  return formats;
}

PayloadTable::Payload* PayloadTable::find(std::string_view& rest) {
  const auto payload_type = parse_number<uint8_t>(take_word(rest));
  if (!payload_type || *payload_type >= PayloadTypes || !payloads_[*payload_type].listed) return nullptr;
  return &payloads_[*payload_type];
}

}  // namespace viaduct::sdp
