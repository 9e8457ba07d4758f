// The arithmetic of the tile grid. Pure: numbers in, numbers out.

const Widest = 16 / 9;
const SmallestTile = 108;                    // pixels; below this a face says nothing

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
