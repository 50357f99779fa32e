// import shared/linear_index.wgsl
// import lanes/eight_{vec4,int64}.wgsl
// import lanes/given.wgsl
// import lanes/block.wgsl
// import lanes/block_across.wgsl
// import lanes/block_rows.wgsl

// matmul_at_b, with a block of b that stays: the lanes of a subgroup hold 8 columns each of BLOCK rows of b in registers
// and let TILE_M rows of the result pass by. For eight of them at a time they load the BLOCK terms of a once, LOADS_ACROSS
// eights to a lane, and hand them to one another. A part that is longer than a block is summed up in partial.
// M and N are multiples of 8, TERMS_PER_PART of BLOCK; the row past M is that of ones; columns past the edge are computed
// from the last ones and not stored, terms past the end are zero.
//
// a       [K, M]
// b       [K, N]
// partial [PARTS, OUT_M, N]

@group(0) @binding(0) var<storage, read> a: array<Eights>;
@group(0) @binding(1) var<storage, read> b: array<Eights>;
@group(0) @binding(2) var<storage, read_write> partial: array<Eights>;

const N_EIGHTS = N / EIGHTS;
const TILES_M = (OUT_M + TILE_M - 1u) / TILE_M;
const TILES_N = (N_EIGHTS + LANES - 1u) / LANES;

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
    let tile = index / LANES;
    let column = tile % TILES_N * LANES + lane;
    let first_row = tile / TILES_N % TILES_M * TILE_M;
    let part = tile / (TILES_N * TILES_M);
    let first = part * TERMS_PER_PART;
    let end = min(first + TERMS_PER_PART, K);
    let b_column = B_BASE + min(column, N_EIGHTS - 1u);
    for (var begin = first; begin < end; begin += BLOCK) {
        var low: Block;
        var high: Block;
        for (var giver = 0u; giver < BLOCK_EIGHTS; giver++) {
            for (var t = 0u; t < EIGHTS; t++) {
                let row = min(begin + giver * EIGHTS + t, K - 1u);
                let eight = unpacked(b[b_column + row * N_EIGHTS]);
                low[giver][t] = eight.low;
                high[giver][t] = eight.high;
            }
        }
        for (var eight = first_row; eight < min(first_row + TILE_M, OUT_M); eight += EIGHTS) {
            var terms = terms_of_rows(eight, begin, end, lane);
            for (var e = 0u; e < min(EIGHTS, OUT_M - eight); e++) {
                let place = PARTIAL_BASE + (part * OUT_M + eight + e) * N_EIGHTS + column;
                var sum = Eight();
                if TERMS_PER_PART > BLOCK && begin > first && column < N_EIGHTS {
                    sum = unpacked(partial[place]);
                }
                sum = with_products_across(sum, &terms, e, &low, &high);
                if column < N_EIGHTS {
                    partial[place] = packed(sum);
                }
            }
        }
    }
}
