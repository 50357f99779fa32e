// conv2d_backward_input of many channels, as matmul_a_bt_block8 computes a product: the rows are positions of dx, the terms
// the output channels of every output that a position reached, the columns input channels. The 8 lanes of a subgroup hold
// 8 input channels each of BLOCK terms of the kernel in registers and let TILE_M positions pass by; longer sums are
// continued in dx. IN_C and OUT_C are multiples of 8; channels past the edge are computed from the last ones and not
// stored, terms past the end and of outputs that are not there are zero.
//
// dy     [batch, OUT_H, OUT_W, OUT_C]
// kernel [KERNEL_H, KERNEL_W, IN_C, OUT_C]
// dx     [batch, IN_H, IN_W, IN_C]

@group(0) @binding(0) var<storage, read> dy: array<vec4<u64>>;
@group(0) @binding(1) var<storage, read> kernel: array<vec4<u64>>;
@group(0) @binding(2) var<storage, read_write> dx: array<vec4<u64>>;

const OUT_EIGHTS = OUT_C / EIGHTS;
const IN_EIGHTS = IN_C / EIGHTS;
const K = KERNEL_H * KERNEL_W * OUT_C;
const TILES_N = (IN_EIGHTS + ROW_LANES - 1u) / ROW_LANES;

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
    let channel = min(column, IN_EIGHTS - 1u) * EIGHTS;
    for (var begin = 0u; begin < K; begin += BLOCK) {
        // Term giver * 8 + t of the block, of the lane's first and last four channels.
        var low: Block;
        var high: Block;
        for (var giver = 0u; giver < LANES; giver++) {
            let terms = min(begin / EIGHTS + giver, K / EIGHTS - 1u);
            let of_tap = (terms / OUT_EIGHTS * IN_C + channel) * OUT_EIGHTS + terms % OUT_EIGHTS;
            for (var c = 0u; c < 4u; c++) {
                let of_low = unpacked(kernel[KERNEL_BASE + of_tap + c * OUT_EIGHTS]);
                let of_high = unpacked(kernel[KERNEL_BASE + of_tap + (4u + c) * OUT_EIGHTS]);
                for (var t = 0u; t < 4u; t++) {
                    low[giver][t][c] = of_low.low[t];
                    low[giver][4u + t][c] = of_low.high[t];
                    high[giver][t][c] = of_high.low[t];
                    high[giver][4u + t][c] = of_high.high[t];
                }
            }
        }
        for (var rows = first_row; rows < end_row; rows += ROWS_AT_ONCE) {
            let own = rows + row_of(lane);
            let row = min(own, end_row - 1u);
            let n = row / (IN_W * IN_H);
            var terms: Terms;
            for (var u = 0u; u < ROWS_AT_ONCE; u++) {
                let eight = begin / EIGHTS + u * ROW_LANES + place_in_row(lane);
                let tap = eight / OUT_EIGHTS;
                // Row and column of the output that this term of the position reached, times the strides.
                let down = row / IN_W % IN_H - tap / KERNEL_W;
                let right = row % IN_W - tap % KERNEL_W;
                let i = down / STRIDE_H;
                let j = right / STRIDE_W;
                // Below zero is past the edge of unsigned numbers.
                let inside = i < OUT_H && j < OUT_W && eight * EIGHTS < K;
                let met = vec4<bool>(inside && down % STRIDE_H == 0u && right % STRIDE_W == 0u);
                let output = (n * OUT_H + min(i, OUT_H - 1u)) * OUT_W + min(j, OUT_W - 1u);
                let mine = unpacked(dy[DY_BASE + output * OUT_EIGHTS + eight % OUT_EIGHTS]);
                terms[u] = Eight(select(vec4f(), mine.low, met), select(vec4f(), mine.high, met));
            }
            let place = DX_BASE + row * IN_EIGHTS + column;
            let stored = own < end_row && column < IN_EIGHTS;
            var sum = Eight();
            if begin > 0u && stored {
                sum = unpacked(dx[place]);
            }
            sum = with_products(sum, terms, lane, &low, &high);
            if stored {
                dx[place] = packed(sum);
            }
        }
    }
}
