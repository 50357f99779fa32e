// import shared/workgroup_tile.wgsl

// conv2d_backward_kernel, as a product through workgroup memory: a workgroup computes one tile (shared/workgroup_tile.wgsl) of taps and
// their input channels by output channels, for one part. The terms are output positions, under whose windows x is gathered. IN_C and
// OUT_C are multiples of 4; taps, channels and positions past the edge count as zeros and are not stored.
//
// x       [BATCH, IN_H, IN_W, IN_C]
// dy      [BATCH, OUT_H, OUT_W, OUT_C]
// partial [PARTS, KERNEL_H, KERNEL_W, IN_C, OUT_C], each the sums of TERMS_PER_PART output rows (n, i)

@group(0) @binding(0) var<storage, read> x: array<Real>;
@group(0) @binding(1) var<storage, read> dy: array<Real>;
@group(0) @binding(2) var<storage, read_write> partial: array<Real>;

const IN_REALS = IN_C / WIDTH;
const OUT_REALS = OUT_C / WIDTH;
// Reals of rows of the gradient.
const ROWS = KERNEL_H * KERNEL_W * IN_REALS;
const TILES_ROWS = (ROWS + SIDE - 1u) / SIDE;
const TILES_C = (OUT_REALS + SIDE - 1u) / SIDE;

// A Real of input channels under a tap, which is so many Reals after the first pixel of the window.
fn x_channels(position: u32, tap: u32, end: u32, is_row: bool) -> Real {
    if position >= end || !is_row {
        return Real();
    }
    let j = position % OUT_W;
    let i = position / OUT_W % OUT_H;
    let n = position / (OUT_W * OUT_H);
    return x[X_BASE + ((n * IN_H + i * STRIDE_H) * IN_W + j * STRIDE_W) * IN_REALS + tap];
}

fn dy_channels(position: u32, channels: u32, end: u32) -> Real {
    if position >= end || channels >= OUT_REALS {
        return Real();
    }
    return dy[DY_BASE + position * OUT_REALS + channels];
}

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
    let tile = group.x + group.y * GROUPS_X;
    // Of whole groups, so that all invocations of a group meet at its barriers.
    if tile >= INVOCATIONS / WORKGROUP_SIZE {
        return;
    }
    let column = local % SIDE;
    let row = local / SIDE;
    let channels = tile % TILES_C * SIDE + column;
    let first_row = tile / TILES_C % TILES_ROWS * SIDE;
    let part = tile / (TILES_C * TILES_ROWS);
    let first = part * TERMS_PER_PART * OUT_W;
    let end = min(first + TERMS_PER_PART * OUT_W, TERMS * OUT_W);
    // Of x each invocation brings the channels that lie beside those of its neighbour.
    let brought = first_row + column;
    let pixel = brought / IN_REALS;
    let tap = (pixel / KERNEL_W * IN_W + pixel % KERNEL_W) * IN_REALS + brought % IN_REALS;
    let is_row = brought < ROWS;
    var sum: Sums;
    for (var t = first; t < end; t += TILE_TERMS) {
        let position = t + row * WIDTH;
        // Until nobody reads the tiles before.
        workgroupBarrier();
        put(A_TILE, row, column, Square(
            x_channels(position, tap, end, is_row),
            x_channels(position + 1u, tap, end, is_row),
            x_channels(position + 2u, tap, end, is_row),
            x_channels(position + 3u, tap, end, is_row),
        ));
        put(B_TILE, row, column, Square(
            dy_channels(position, channels, end),
            dy_channels(position + 1u, channels, end),
            dy_channels(position + 2u, channels, end),
            dy_channels(position + 3u, channels, end),
        ));
        workgroupBarrier();
        add_products(&sum, row, column);
    }
    let rows = first_row + row;
    if rows >= ROWS || channels >= OUT_REALS {
        return;
    }
    for (var v = 0u; v < WIDTH; v++) {
        partial[PARTIAL_BASE + ((part * ROWS + rows) * WIDTH + v) * OUT_REALS + channels] = sum[v];
    }
}
