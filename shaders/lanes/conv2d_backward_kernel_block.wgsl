// import shared/linear_index.wgsl
// import lanes/eight_{vec4,int64}.wgsl
// import lanes/given.wgsl
// import lanes/block.wgsl
// import lanes/block_across.wgsl

// conv2d_backward_kernel of many channels, as matmul_at_b_block computes a product: the terms are output positions, the
// rows input channels of every weight of the window, the columns output channels. The lanes of a subgroup hold 8 output
// channels each of BLOCK positions of dy in registers and let TILE_M rows of the kernel pass by; longer sums are continued
// in partial. IN_C and OUT_C are multiples of 8; channels past the edge are computed from the last ones and not stored, positions
// past the part are zero.
//
// x       [batch, IN_H, IN_W, IN_C]
// dy      [batch, OUT_H, OUT_W, OUT_C]
// partial [PARTS, KERNEL_H, KERNEL_W, IN_C, OUT_C]

@group(0) @binding(0) var<storage, read> x: array<Eights>;
@group(0) @binding(1) var<storage, read> dy: array<Eights>;
@group(0) @binding(2) var<storage, read_write> partial: array<Eights>;

const OUT_EIGHTS = OUT_C / EIGHTS;
const IN_EIGHTS = IN_C / EIGHTS;
const ROWS = KERNEL_H * KERNEL_W * IN_C;
const TILES_M = (ROWS + TILE_M - 1u) / TILE_M;
const TILES_N = (OUT_EIGHTS + LANES - 1u) / LANES;

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
    let first = part * TERMS_PER_PART * OUT_W;
    let end = min((part + 1u) * TERMS_PER_PART, TERMS) * OUT_W;
    let channel = min(column, OUT_EIGHTS - 1u);
    for (var begin = first; begin < end; begin += BLOCK) {
        var low: Block;
        var high: Block;
        // Where the window begins in x, for each of the positions whose terms the lane loads.
        var origins: array<u32, LOADS_ACROSS>;
        var there: array<bool, LOADS_ACROSS>;
        for (var u = 0u; u < LOADS_ACROSS; u++) {
            let mine = begin + u * LANES + lane;
            let position = min(mine, end - 1u);
            let h = position / OUT_W % OUT_H * STRIDE_H;
            let n = position / (OUT_W * OUT_H);
            origins[u] = X_BASE + ((n * IN_H + h) * IN_W + position % OUT_W * STRIDE_W) * IN_EIGHTS;
            there[u] = mine < end;
        }
        for (var giver = 0u; giver < BLOCK_EIGHTS; giver++) {
            for (var t = 0u; t < EIGHTS; t++) {
                let row = min(begin + giver * EIGHTS + t, end - 1u);
                let eight = unpacked(dy[DY_BASE + row * OUT_EIGHTS + channel]);
                low[giver][t] = eight.low;
                high[giver][t] = eight.high;
            }
        }
        for (var eight = first_row; eight < min(first_row + TILE_M, ROWS); eight += EIGHTS) {
            let tap = eight / IN_C;
            let of_tap = (tap / KERNEL_W * IN_W + tap % KERNEL_W) * IN_EIGHTS + eight % IN_C / EIGHTS;
            var terms: Across;
            for (var u = 0u; u < LOADS_ACROSS; u++) {
                let mine = unpacked(x[origins[u] + of_tap]);
                terms[u].low = select(vec4f(), mine.low, vec4<bool>(there[u]));
                terms[u].high = select(vec4f(), mine.high, vec4<bool>(there[u]));
            }
            for (var e = 0u; e < EIGHTS; e++) {
                let place = PARTIAL_BASE + (part * ROWS + eight + e) * OUT_EIGHTS + column;
                var sum = Eight();
                if begin > first && column < OUT_EIGHTS {
                    sum = unpacked(partial[place]);
                }
                sum = with_products_across(sum, &terms, e, &low, &high);
                if column < OUT_EIGHTS {
                    partial[place] = packed(sum);
                }
            }
        }
    }
}
