// matmul, with a block of b that stays: the 8 lanes of a subgroup hold 8 columns each of BLOCK rows of b in registers and
// let TILE_M rows of a pass by. Of each they load the BLOCK terms once, 8 to a lane, and hand them to one another, so that
// two accesses feed 512 multiply-adds of 8 lanes. A part that is longer than a block is summed up in partial.
// N and K are multiples of 8, TERMS_PER_PART is one of BLOCK; columns past the edge are computed from the last ones and not
// stored, terms past the end are zero.
//
// a       [M, K]
// b       [K, N]
// partial [PARTS, M, N]

@group(0) @binding(0) var<storage, read> a: array<vec4<u64>>;
@group(0) @binding(1) var<storage, read> b: array<vec4<u64>>;
@group(0) @binding(2) var<storage, read_write> partial: array<vec4<u64>>;

const N_EIGHTS = N / EIGHTS;
const K_EIGHTS = K / EIGHTS;
const TILES_M = (M + TILE_M - 1u) / TILE_M;
const TILES_N = (N_EIGHTS + ROW_LANES - 1u) / ROW_LANES;

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
    let column = tile % TILES_N * ROW_LANES + place_in_row(lane);
    let first_row = tile / TILES_N % TILES_M * TILE_M;
    let end_row = min(first_row + TILE_M, M);
    let part = tile / (TILES_N * TILES_M);
    let first = part * TERMS_PER_PART;
    let end = min(first + TERMS_PER_PART, K);
    let b_column = B_BASE + min(column, N_EIGHTS - 1u);
    for (var begin = first; begin < end; begin += BLOCK) {
        // Term giver * 8 + t of the block, of the lane's first and last four columns.
        var low: Block;
        var high: Block;
        for (var giver = 0u; giver < LANES; giver++) {
            for (var t = 0u; t < EIGHTS; t++) {
                let row = min(begin + giver * EIGHTS + t, K - 1u);
                let eight = unpacked(b[b_column + row * N_EIGHTS]);
                low[giver][t] = eight.low;
                high[giver][t] = eight.high;
            }
        }
        for (var rows = first_row; rows < end_row; rows += ROWS_AT_ONCE) {
            let own = rows + row_of(lane);
            let row = min(own, end_row - 1u);
            var terms: Terms;
            for (var u = 0u; u < ROWS_AT_ONCE; u++) {
                let eight = begin / EIGHTS + u * ROW_LANES + place_in_row(lane);
                let mine = unpacked(a[A_BASE + row * K_EIGHTS + min(eight, K_EIGHTS - 1u)]);
                let there = vec4<bool>(eight * EIGHTS < end);
                terms[u] = Eight(select(vec4f(), mine.low, there), select(vec4f(), mine.high, there));
            }
            let place = PARTIAL_BASE + (part * M + row) * N_EIGHTS + column;
            let stored = own < end_row && column < N_EIGHTS;
            var sum = Eight();
            if TERMS_PER_PART > BLOCK && begin > first && stored {
                sum = unpacked(partial[place]);
            }
            sum = with_products(sum, terms, lane, &low, &high);
            if stored {
                partial[place] = packed(sum);
            }
        }
    }
}
