// import shared/linear_index.wgsl
// import lanes/eight_{vec4,int64}.wgsl
// import lanes/given.wgsl
// import lanes/block.wgsl
// import lanes/block_along.wgsl

// conv2d_forward of many channels, as matmul_block computes a product: the rows are output positions, the terms the
// channels under the window, the columns output channels. The lanes of a subgroup hold 8 output channels each of BLOCK
// terms of the kernel in registers and let TILE_M positions pass by; longer sums are continued in y. IN_C and OUT_C are
// multiples of 8; channels past the edge are computed from the last ones and not stored, terms past the end are zero.
//
// x      [batch, IN_H, IN_W, IN_C]
// kernel [KERNEL_H, KERNEL_W, IN_C, OUT_C]
// bias   [OUT_C]
// y      [batch, OUT_H, OUT_W, OUT_C]

@group(0) @binding(0) var<storage, read> x: array<Eights>;
@group(0) @binding(1) var<storage, read> kernel: array<Eights>;
@group(0) @binding(2) var<storage, read> bias: array<Eights>;
@group(0) @binding(3) var<storage, read_write> y: array<Eights>;

const OUT_EIGHTS = OUT_C / EIGHTS;
const IN_EIGHTS = IN_C / EIGHTS;
const K = KERNEL_H * KERNEL_W * IN_C;
const TILES_N = (OUT_EIGHTS + ROW_LANES - 1u) / ROW_LANES;

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
    let first_row = tile / TILES_N * TILE_M;
    let end_row = min(first_row + TILE_M, POSITIONS);
    let channel = min(column, OUT_EIGHTS - 1u);
    let start = unpacked(bias[BIAS_BASE + channel]);
    for (var begin = 0u; begin < K; begin += BLOCK) {
        // Term giver * 8 + t of the block, of the lane's first and last four channels.
        var low: Block;
        var high: Block;
        for (var giver = 0u; giver < BLOCK_EIGHTS; giver++) {
            for (var t = 0u; t < EIGHTS; t++) {
                let row = min(begin + giver * EIGHTS + t, K - 1u);
                let eight = unpacked(kernel[KERNEL_BASE + row * OUT_EIGHTS + channel]);
                low[giver][t] = eight.low;
                high[giver][t] = eight.high;
            }
        }
        for (var rows = first_row; rows < end_row; rows += ROWS_AT_ONCE) {
            let own = rows + row_of(lane);
            let row = min(own, end_row - 1u);
            let w = row % OUT_W * STRIDE_W;
            let h = row / OUT_W % OUT_H * STRIDE_H;
            let n = row / (OUT_W * OUT_H);
            let origin = X_BASE + ((n * IN_H + h) * IN_W + w) * IN_EIGHTS;
            var terms: Terms;
            for (var u = 0u; u < LOADS; u++) {
                if has_eight(u, lane) {
                    let eight = begin / EIGHTS + eight_of(u, lane);
                    let tap = min(eight, K / EIGHTS - 1u) / IN_EIGHTS;
                    let of_tap = (tap / KERNEL_W * IN_W + tap % KERNEL_W) * IN_EIGHTS + eight % IN_EIGHTS;
                    let mine = unpacked(x[origin + of_tap]);
                    let there = vec4<bool>(eight * EIGHTS < K);
                    terms[u] = Eight(select(vec4f(), mine.low, there), select(vec4f(), mine.high, there));
                }
            }
            let place = Y_BASE + row * OUT_EIGHTS + column;
            let stored = own < end_row && column < OUT_EIGHTS;
            var sum = start;
            if begin > 0u && stored {
                sum = unpacked(y[place]);
            }
            sum = with_products(sum, &terms, lane, &low, &high);
            if RELU && begin + BLOCK >= K {
                sum.low = select(sum.low, vec4f(), sum.low <= vec4f());
                sum.high = select(sum.high, vec4f(), sum.high <= vec4f());
            }
            if stored {
                y[place] = packed(sum);
            }
        }
    }
}
