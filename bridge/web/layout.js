// The arithmetic of the tiles. Pure: numbers in, numbers out; boxes are {left, top, width, height} in pixels.

const Widest = 16 / 9;
const SmallestTile = 108;                    // pixels; below this a face says nothing
const StripShare = 0.2;                      // of the window's width that the strip beside a stage takes
const NarrowestStrip = 132;
const WidestStrip = 240;
const StripRow = 3;                          // tiles beside each other under an upright stage, at least
const WidestInRow = 168;

/**
 * The columns and the size in pixels of `count` equal tiles that show the most picture in `width` by `height` with
 * `gap` between. A tile is never wider than 16:9; in an upright window it may be as narrow as 4:5, where a camera's
 * picture is cut at the sides.
 */
export function arrange(count, width, height, gap) {
  const narrowest = height > width ? 4 / 5 : 4 / 3;
  let best = { columns: 1, width: 0, height: 0, score: -1 };
  for (let columns = 1; columns <= count; ++columns) {
    const rows = Math.ceil(count / columns);
    const room = { width: (width - gap * (columns - 1)) / columns, height: (height - gap * (rows - 1)) / rows };
    if (room.width <= 0 || room.height <= 0) continue;
    const tile = {
      width: Math.floor(Math.min(room.width, room.height * Widest)),
      height: Math.floor(Math.min(room.height, room.width / narrowest)),
    };
    const shown = Math.min(1, tile.width / tile.height / Widest);  // the part of a 16:9 picture that is not cut off
    const score = tile.width * tile.height * Math.sqrt(shown);
    if (score > best.score) best = { columns, ...tile, score };
  }
  return { columns: best.columns, width: best.width, height: best.height };
}

/** How many of `count` people get a tile of their own: all, unless their tiles became too small to be of use. */
export function fitting(count, width, height, gap) {
  let shown = count;
  while (shown > 4) {
    const tile = arrange(shown, width, height, gap);
    if (tile.width >= SmallestTile && tile.height >= SmallestTile * 9 / 16) break;
    --shown;
  }
  return shown;
}

/** As many boxes of one size as there is use and room for, at most `count`: row by row, each in the middle. */
export function gridBoxes(count, width, height, gap) {
  const places = fitting(count, width, height, gap);
  const tile = arrange(places, width, height, gap);
  const rows = Math.ceil(places / tile.columns);
  const top = (height - rows * tile.height - (rows - 1) * gap) / 2;
  return Array.from({ length: places }, (_, index) => {
    const row = Math.floor(index / tile.columns);
    const inRow = Math.min(tile.columns, places - row * tile.columns);
    const left = (width - inRow * tile.width - (inRow - 1) * gap) / 2;
    return box(left + (index % tile.columns) * (tile.width + gap), top + row * (tile.height + gap), tile);
  });
}

/**
 * {stage, strip}: one large box, and small ones for at most `count` others: in a column beside it where the window is
 * wide, in a row under it where it is upright.
 */
export function stageBoxes(count, width, height, gap) {
  if (count === 0) return { stage: box(0, 0, { width, height }), strip: [] };
  return width > height * 1.2 ? withColumn(count, width, height, gap) : withRow(count, width, height, gap);
}

function withColumn(count, width, height, gap) {
  const tileWidth = Math.round(Math.min(WidestStrip, Math.max(NarrowestStrip, width * StripShare)));
  const tile = { width: tileWidth, height: Math.min(height, Math.round(tileWidth / Widest)) };
  const places = Math.min(count, Math.max(1, Math.floor((height + gap) / (tile.height + gap))));
  const top = (height - places * tile.height - (places - 1) * gap) / 2;
  const stage = box(0, 0, { width: Math.max(0, width - tile.width - gap), height });
  const strip = Array.from({ length: places }, (_, i) => box(width - tile.width, top + i * (tile.height + gap), tile));
  return { stage, strip };
}

function withRow(count, width, height, gap) {
  const tileWidth = Math.floor(Math.min(WidestInRow, (width - (StripRow - 1) * gap) / StripRow));
  const tile = { width: tileWidth, height: Math.round(Math.min(height / 4, tileWidth * 3 / 4)) };
  const places = Math.min(count, Math.max(1, Math.floor((width + gap) / (tile.width + gap))));
  const left = (width - places * tile.width - (places - 1) * gap) / 2;
  const stage = box(0, 0, { width, height: Math.max(0, height - tile.height - gap) });
  const strip = Array.from({ length: places }, (_, i) =>
    box(left + i * (tile.width + gap), height - tile.height, tile));
  return { stage, strip };
}

function box(left, top, { width, height }) {
  return { left: Math.floor(left), top: Math.floor(top), width, height };
}
