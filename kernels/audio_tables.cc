#include "kernels/audio/audio_tables.h"

#include "kernels/audio_engine.h"

namespace viaduct::kernels {
namespace {

__extension__ using Wide = unsigned __int128;

// 10^19 * 10^-((k + 1/2) / 10), rounded up: a level ends half a decibel below its own.
constexpr uint64_t HalfDecibels[] = {8'912'509'381'337'455'300u, 7'079'457'843'841'379'109u,
                                     5'623'413'251'903'490'804u, 4'466'835'921'509'631'186u,
                                     3'548'133'892'335'754'585u, 2'818'382'931'264'453'820u,
                                     2'238'721'138'568'339'612u, 1'778'279'410'038'922'802u,
                                     1'412'537'544'622'754'303u, 1'122'018'454'301'963'436u};

constexpr uint64_t level_threshold(uint32_t level) {
  if (level == Levels - 1) return 0;
  constexpr uint64_t FullScale = uint64_t{FrameSamples} * 32767 * 32767;
  Wide unit = 10'000'000'000'000'000'000u;
  for (uint32_t decade = 0; decade < level / 10; ++decade) unit *= 10;
  return static_cast<uint64_t>((Wide{FullScale} * HalfDecibels[level % 10] + unit - 1) / unit);
}

// round(65536 ln score), where score = max(1e-10, ln C(n, v) + n ln 0.5 - ln L + L v) for v of n:
// n = 13, L = 0.78; n = 5, L = 24; n = 10, L = 47.
constexpr SpeakerTables Speaker = {
    {-1509022, -1509022, -1509022, -1509022, -4768, 54518, 79529, 93191, 100545, 103207, 101331,
     93647, 75456, 20992},
    {-1509022, 192848, 247490, 276200, 295599, 310020},
    {-1509022, 239285, 292697, 321475, 341253, 356318, 368473, 378645, 387374, 394994, 401705},
    0};

constexpr AudioTables make_tables() {
  AudioTables tables{};
  tables.speaker = Speaker;
  for (uint32_t level = 0; level < Levels; ++level) {
    tables.level_thresholds[level] = level_threshold(level);
  }
  return tables;
}

constexpr AudioTables Tables = make_tables();

}  // namespace

const AudioTables& audio_tables() { return Tables; }

}  // namespace viaduct::kernels
