//! Areas that tiles cover.

/// Number of tiles that cover an area.
pub(crate) fn tiles(area: [usize; 2], tile: [usize; 2]) -> usize {
    area[0].div_ceil(tile[0]) * area[1].div_ceil(tile[1])
}
