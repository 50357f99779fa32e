//! How `block8` kernels, those of `shaders/lanes`, share out rows, lanes and registers.

use super::kernel::{EIGHTS, LANES, tiles};
use super::split::MAX_ITERATIONS;

/// Eights of terms of a block that stays in the registers of a subgroup, where nothing else is said.
pub(crate) const BLOCK_EIGHTS: usize = LANES as usize;

/// Rows that pass by one block: as few tiles as `most` allows, all of nearly the same length.
pub(crate) fn block_rows(rows: usize, most: usize) -> usize {
    // Some load eight rows at a time.
    rows.div_ceil(rows.div_ceil(most)).next_multiple_of(EIGHTS)
}

/// So many rows, or fewer where so many blocks would make an invocation's loops too long.
pub(crate) fn short(rows: usize, blocks: usize) -> usize {
    rows.min((MAX_ITERATIONS / blocks).max(2 * EIGHTS) - EIGHTS)
}

/// Lanes that take so many columns, eight each: a power of two, so that the lanes of several rows fill a subgroup.
pub(crate) fn row_lanes(columns: usize) -> usize {
    columns.div_ceil(EIGHTS).next_power_of_two().min(LANES as usize)
}

/// How rows pass by a block of so many columns, and of so many eights of terms that lie along the rows.
pub(crate) fn along_tile(rows: usize, columns: usize, block_eights: usize) -> Vec<(&'static str, usize)> {
    vec![("TILE_M", rows), ("ROW_LANES", row_lanes(columns)), ("BLOCK_EIGHTS", block_eights)]
}

/// How rows pass by a block whose terms lie across them.
pub(crate) fn across_tile(rows: usize) -> Vec<(&'static str, usize)> {
    vec![("TILE_M", rows), ("BLOCK_EIGHTS", BLOCK_EIGHTS)]
}

/// Invocations of subgroups that cover all parts of an area of rows and columns, so many rows to a tile.
pub(crate) fn blocks(area: [usize; 2], rows: usize, parts: usize) -> usize {
    let lanes = LANES as usize;
    tiles(area, [rows, EIGHTS * lanes]) * lanes * parts
}

/// Whether one block holds all terms.
pub(crate) fn one_block(terms: usize) -> bool {
    terms <= BLOCK_EIGHTS * EIGHTS
}
