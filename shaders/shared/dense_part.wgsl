// import shared/dense_tile.wgsl

// partial [PARTS, OUT_M, N]
fn store(tile: u32, row: u32, column: u32, sum: Real) {
    let at = element(tile, row, column);
    if at.is_inside {
        partial[PARTIAL_BASE + part_of(tile) * OUT_M * N_REALS + at.place] = sum;
    }
}
