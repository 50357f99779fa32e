// import shared/linear_index.wgsl
// import lanes/eight_{vec4,int64}.wgsl
// import lanes/given.wgsl
// import lanes/block.wgsl
// import lanes/block_along.wgsl
// import lanes/block_product.wgsl

// matmul_a_bt, with a block of b that stays: the lanes of a subgroup hold BLOCK terms of 8 rows each of b in registers
// and let TILE_M rows of a pass by. Of each they load the BLOCK terms once, in eights, and hand them to one another, so that
// LOADS loads and one store feed 8 * BLOCK multiply-adds of all lanes. A part that is longer than a block is summed up in
// partial.
// N and K are multiples of 8, TERMS_PER_PART is one of 8; columns past the edge are computed from the last ones and not
// stored, terms past the end are zero.
//
// a       [M, K]
// b       [N, K]
// partial [PARTS, M, N]

@group(0) @binding(0) var<storage, read> a: array<Eights>;
@group(0) @binding(1) var<storage, read> b: array<Eights>;
@group(0) @binding(2) var<storage, read_write> partial: array<Eights>;

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(
    @builtin(workgroup_id) group: vec3u,
    @builtin(local_invocation_index) local: u32,
    @builtin(subgroup_invocation_id) lane: u32,
) {
    let index = linear_index(group, local);
    if index >= INVOCATIONS {
        return;
    }
    let tile = tile_of(index / LANES, lane);
    let b_row = min(tile.column, N_EIGHTS - 1u) * EIGHTS;
    for (var begin = tile.first; begin < tile.end; begin += BLOCK) {
        // Term giver * 8 + t of the block, of the lane's first and last four columns.
        var low: Block;
        var high: Block;
        for (var giver = 0u; giver < BLOCK_EIGHTS; giver++) {
            let terms = B_BASE + min(begin / EIGHTS + giver, K_EIGHTS - 1u);
            var own: array<Eight, EIGHTS>;
            for (var c = 0u; c < EIGHTS; c++) {
                own[c] = unpacked(b[terms + (b_row + c) * K_EIGHTS]);
            }
            low[giver] = transposed(own[0], own[1], own[2], own[3]);
            high[giver] = transposed(own[4], own[5], own[6], own[7]);
        }
        pass_by(tile, begin, lane, &low, &high);
    }
}
