// import shared/workgroup_tile.wgsl

// conv2d_forward, as a product through workgroup memory: a workgroup computes one tile (shared/workgroup_tile.wgsl) of output
// positions by output channels. The terms of a position are the taps of its window and their channels, gathered from x while they are
// stored there: no matrix of them is ever made. IN_C and OUT_C are multiples of 4; positions, channels and terms past the edge
// count as zeros and are not stored.
//
// x      [BATCH, IN_H, IN_W, IN_C]
// kernel [KERNEL_H, KERNEL_W, IN_C, OUT_C]
// bias   [OUT_C]
// y      [BATCH, OUT_H, OUT_W, OUT_C]

@group(0) @binding(0) var<storage, read> x: array<Real>;
@group(0) @binding(1) var<storage, read> kernel: array<Real>;
@group(0) @binding(2) var<storage, read> bias: array<Real>;
@group(0) @binding(3) var<storage, read_write> y: array<Real>;

const IN_REALS = IN_C / WIDTH;
const OUT_REALS = OUT_C / WIDTH;
const TILES_C = (OUT_REALS + SIDE - 1u) / SIDE;

// The pixel of x under the first tap of a position.
fn first_pixel(position: u32) -> u32 {
    let j = position % OUT_W;
    let i = position / OUT_W % OUT_H;
    let n = position / (OUT_W * OUT_H);
    return (n * IN_H + i * STRIDE_H) * IN_W + j * STRIDE_W;
}

// WIDTH terms of a position: channels of one tap, which is so many pixels and Reals after the first.
fn x_terms(position: u32, first: u32, tap: u32, is_term: bool) -> Real {
    if position >= POSITIONS || !is_term {
        return Real();
    }
    return x[X_BASE + first * IN_REALS + tap];
}

// One term of a Real of output channels.
fn kernel_channels(term: u32, channels: u32) -> Real {
    if channels >= OUT_REALS || term >= TERMS {
        return Real();
    }
    return kernel[KERNEL_BASE + term * OUT_REALS + channels];
}

fn kernel_square(channels: u32, term: u32) -> Square {
    return Square(
        kernel_channels(term, channels),
        kernel_channels(term + 1u, channels),
        kernel_channels(term + 2u, channels),
        kernel_channels(term + 3u, channels),
    );
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
    let position = (tile / TILES_C * SIDE + row) * WIDTH;
    let first = vec4u(
        first_pixel(position),
        first_pixel(position + 1u),
        first_pixel(position + 2u),
        first_pixel(position + 3u),
    );
    var sum: Sums;
    for (var t = 0u; t < TERMS; t += TILE_TERMS) {
        let term = t + column * WIDTH;
        let pixel = term / IN_C;
        let tap = (pixel / KERNEL_W * IN_W + pixel % KERNEL_W) * IN_REALS + term % IN_C / WIDTH;
        let is_term = term < TERMS;
        // Until nobody reads the tiles before.
        workgroupBarrier();
        put(A_TILE, column, row, transpose(Square(
            x_terms(position, first.x, tap, is_term),
            x_terms(position + 1u, first.y, tap, is_term),
            x_terms(position + 2u, first.z, tap, is_term),
            x_terms(position + 3u, first.w, tap, is_term),
        )));
        put(B_TILE, row, column, kernel_square(channels, t + row * WIDTH));
        workgroupBarrier();
        add_products(&sum, row, column);
    }
    if channels >= OUT_REALS {
        return;
    }
    let start = bias[BIAS_BASE + channels];
    for (var v = 0u; v < WIDTH; v++) {
        var value = sum[v] + start;
        if RELU {
            value = select(value, Real(), value <= Real());
        }
        if position + v < POSITIONS {
            y[Y_BASE + (position + v) * OUT_REALS + channels] = value;
        }
    }
}
