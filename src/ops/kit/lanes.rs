//! How the kernels of `shaders/lanes` share out rows, lanes and registers.

use super::kernel::EIGHTS;
use super::split::MAX_ITERATIONS;
use super::tiles::tiles;

/// Sizes of a subgroup that these kernels are made for: those of drivers that compute with the processor's vectors of 128, 256
/// and 512 bits. Each subgroup is its own workgroup.
pub(crate) const LANES: [usize; 3] = [4, 8, 16];

/// Eights of terms of a block that stays in the registers of a subgroup, where nothing else is said.
pub(crate) const BLOCK_EIGHTS: usize = 8;

/// Rows that pass by one block: as few tiles as `most` allows, all of nearly the same length.
pub(crate) fn block_rows(rows: usize, most: usize) -> usize {
    // Some load eight rows at a time.
    rows.div_ceil(rows.div_ceil(most)).next_multiple_of(EIGHTS)
}

/// So many rows, or fewer where so many blocks would make an invocation's loops too long.
pub(crate) fn short(rows: usize, blocks: usize) -> usize {
    rows.min((MAX_ITERATIONS / blocks).max(2 * EIGHTS) - EIGHTS)
}

/// Of so many lanes those that take so many columns, eight each: a power of two, so that the lanes of several rows fill a subgroup.
pub(crate) fn row_lanes(columns: usize, lanes: usize) -> usize {
    columns.div_ceil(EIGHTS).next_power_of_two().min(lanes)
}

/// How rows pass by a block of so many columns, and of so many eights of terms that lie along the rows.
pub(crate) fn along_tile(
    rows: usize,
    columns: usize,
    block_eights: usize,
    lanes: usize,
) -> Vec<(&'static str, usize)> {
    vec![("TILE_M", rows), ("ROW_LANES", row_lanes(columns, lanes)), ("BLOCK_EIGHTS", block_eights)]
}

/// How rows pass by a block whose terms lie across them, or by so many of them, side by side.
pub(crate) fn across_tile(rows: usize, side_by_side: usize) -> Vec<(&'static str, usize)> {
    vec![("TILE_M", rows), ("BLOCK_EIGHTS", BLOCK_EIGHTS), ("COLUMN_EIGHTS", side_by_side)]
}

/// Blocks, of so many columns in all, that few lanes hold side by side: to load terms that lie across the rows no more often
/// than eight lanes would.
pub(crate) fn side_by_side(columns: usize, lanes: usize) -> usize {
    if 2 * lanes <= EIGHTS && columns > EIGHTS * lanes { 2 } else { 1 }
}

/// Invocations of subgroups of so many lanes that cover all parts of an area of rows and columns, so many rows to a tile.
pub(crate) fn blocks(area: [usize; 2], rows: usize, parts: usize, lanes: usize) -> usize {
    tiles(area, [rows, EIGHTS * lanes]) * lanes * parts
}

/// Whether one block holds all terms.
pub(crate) fn one_block(terms: usize) -> bool {
    terms <= BLOCK_EIGHTS * EIGHTS
}
