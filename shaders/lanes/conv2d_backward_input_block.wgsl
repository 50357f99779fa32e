// import shared/linear_index.wgsl
// import lanes/eight_{vec4,int64}.wgsl
// import lanes/given.wgsl
// import lanes/block.wgsl
// import lanes/block_along.wgsl

// conv2d_backward_input of many channels, weight by weight of the window: through each of them, an output hands its gradient
// to one position of the input, of which dx is the part from row TOP and column LEFT on. The lanes of a subgroup hold 8 input
// channels each of BLOCK output channels of a weight in registers, and let the outputs of TILE_IMAGES images pass by whose
// position is in a band of TILE_H rows of dx; sums are continued there. ROWS_AT_ONCE images are under way at a time, so that no
// two lanes ever meet at a position. IN_C and OUT_C are multiples of 8; channels past the edge are computed from the last ones
// and not stored, terms past it are zero.
//
// dy     [BATCH, OUT_H, OUT_W, OUT_C]
// kernel [KERNEL_H, KERNEL_W, IN_C, OUT_C]
// dx     [BATCH, PART_H, PART_W, IN_C]

@group(0) @binding(0) var<storage, read> dy: array<Eights>;
@group(0) @binding(1) var<storage, read> kernel: array<Eights>;
@group(0) @binding(2) var<storage, read_write> dx: array<Eights>;

const OUT_EIGHTS = OUT_C / EIGHTS;
const IN_EIGHTS = IN_C / EIGHTS;
// Blocks of one weight of the window.
const BLOCKS = (OUT_EIGHTS + BLOCK_EIGHTS - 1u) / BLOCK_EIGHTS;
const TILES_N = (IN_EIGHTS + ROW_LANES - 1u) / ROW_LANES;
const BANDS = (PART_H + TILE_H - 1u) / TILE_H;

// Of `count` outputs along one side those, from x to before y, that hand their gradient through tap p of the window to a place of
// the input from `first` to before `end`.
fn handing(p: u32, stride: u32, count: u32, first: u32, end: u32) -> vec2u {
    let begin = select(0u, (first - p + stride - 1u) / stride, first > p);
    let past = select(0u, (end - p + stride - 1u) / stride, end > p);
    return min(vec2u(begin, past), vec2u(count));
}

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
    let first_h = tile / TILES_N % BANDS * TILE_H;
    let end_h = min(first_h + TILE_H, PART_H);
    // The bound never takes effect. Without it lavapipe of Mesa 26.2.6 skips every store of a last, smaller tile, while it does
    // the same loops right in a shader with one statement more.
    let first_image = min(tile / (TILES_N * BANDS) * TILE_IMAGES, BATCH);
    let end_image = min(first_image + TILE_IMAGES, BATCH);
    for (var images = first_image; images < end_image; images += ROWS_AT_ONCE) {
        let n = images + row_of(lane);
        if n < end_image && column < IN_EIGHTS {
            for (var position = first_h * PART_W; position < end_h * PART_W; position++) {
                dx[DX_BASE + (n * PART_H * PART_W + position) * IN_EIGHTS + column] = packed(Eight());
            }
        }
    }
    let channel = min(column, IN_EIGHTS - 1u) * EIGHTS;
    for (var block = 0u; block < KERNEL_H * KERNEL_W * BLOCKS; block++) {
        let tap = block / BLOCKS;
        let begin = block % BLOCKS * BLOCK_EIGHTS;
        // Term giver * 8 + t of the block, of the lane's first and last four channels.
        var low: Block;
        var high: Block;
        for (var giver = 0u; giver < BLOCK_EIGHTS; giver++) {
            let eight = min(begin + giver, OUT_EIGHTS - 1u);
            let of_tap = KERNEL_BASE + (tap * IN_C + channel) * OUT_EIGHTS + eight;
            var own: array<Eight, EIGHTS>;
            for (var c = 0u; c < EIGHTS; c++) {
                own[c] = unpacked(kernel[of_tap + c * OUT_EIGHTS]);
            }
            low[giver] = transposed(own[0], own[1], own[2], own[3]);
            high[giver] = transposed(own[4], own[5], own[6], own[7]);
        }
        let p = tap / KERNEL_W;
        let q = tap % KERNEL_W;
        let down = handing(p, STRIDE_H, OUT_H, TOP + first_h, TOP + end_h);
        let along = handing(q, STRIDE_W, OUT_W, LEFT, LEFT + PART_W);
        let columns = along.y - along.x;
        let outputs = (down.y - down.x) * columns;
        // From the end of a row of these outputs to the next one, in dy and in dx; the latter may wrap around.
        let dy_skip = (OUT_W - columns) * OUT_EIGHTS;
        let dx_skip = (STRIDE_H * PART_W - columns * STRIDE_W) * IN_EIGHTS;
        for (var images = first_image; images < end_image; images += ROWS_AT_ONCE) {
            let own = images + row_of(lane);
            let n = min(own, end_image - 1u);
            let stored = own < end_image && column < IN_EIGHTS;
            // The first output, and where it meets dx with this weight.
            var first = DY_BASE + ((n * OUT_H + down.x) * OUT_W + along.x) * OUT_EIGHTS;
            let met = (n * PART_H + down.x * STRIDE_H + p - TOP) * PART_W + along.x * STRIDE_W + q - LEFT;
            var place = DX_BASE + met * IN_EIGHTS + column;
            // The outputs row by row, but in one loop: drivers may count iterations of all loops.
            var done = 0u;
            for (var output = 0u; output < outputs; output++) {
                var terms: Terms;
                for (var u = 0u; u < LOADS; u++) {
                    if has_eight(u, lane) {
                        let eight = begin + eight_of(u, lane);
                        let mine = unpacked(dy[first + min(eight, OUT_EIGHTS - 1u)]);
                        let there = vec4<bool>(eight < OUT_EIGHTS);
                        terms[u] = Eight(select(vec4f(), mine.low, there), select(vec4f(), mine.high, there));
                    }
                }
                var sum = Eight();
                if stored {
                    sum = unpacked(dx[place]);
                }
                sum = with_products(sum, &terms, lane, &low, &high);
                if stored {
                    dx[place] = packed(sum);
                }
                done++;
                let past = done == columns;
                first += OUT_EIGHTS + select(0u, dy_skip, past);
                place += STRIDE_W * IN_EIGHTS + select(0u, dx_skip, past);
                done = select(done, 0u, past);
            }
        }
    }
}
