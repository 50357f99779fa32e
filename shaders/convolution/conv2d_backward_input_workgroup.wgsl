// import shared/workgroup_tile.wgsl

// conv2d_backward_input, as a product through workgroup memory: a workgroup computes one tile (shared/workgroup_tile.wgsl) of
// positions of dx by input channels. The terms of a position are taps and the output channels of each, gathered from dy: zeros where no
// output reads the position through that tap. IN_C and OUT_C are multiples of 4; positions, channels and terms past the edge count
// as zeros and are not stored.
//
// dy     [BATCH, OUT_H, OUT_W, OUT_C]
// kernel [KERNEL_H, KERNEL_W, IN_C, OUT_C]
// dx     [BATCH, PART_H, PART_W, IN_C]

@group(0) @binding(0) var<storage, read> dy: array<Real>;
@group(0) @binding(1) var<storage, read> kernel: array<Real>;
@group(0) @binding(2) var<storage, read_write> dx: array<Real>;

const IN_REALS = IN_C / WIDTH;
const OUT_REALS = OUT_C / WIDTH;
const TILES_C = (IN_REALS + SIDE - 1u) / SIDE;

// Row and column of a position in x, and the number of the first row of its image's outputs.
fn place(position: u32) -> vec3u {
    let h = position / PART_W % PART_H + TOP;
    let n = position / (PART_W * PART_H);
    return vec3u(h, position % PART_W + LEFT, n * OUT_H);
}

// WIDTH terms of a position: output channels of the output that reads it through the tap (p, q).
fn dy_terms(at: vec3u, tap: vec2u, channels: u32, is_term: bool) -> Real {
    let i = (at.x - tap.x) / STRIDE_H;
    let j = (at.y - tap.y) / STRIDE_W;
    let reads_row = at.x >= tap.x && i * STRIDE_H == at.x - tap.x && i < OUT_H;
    let reads_column = at.y >= tap.y && j * STRIDE_W == at.y - tap.y && j < OUT_W;
    if !(is_term && reads_row && reads_column) {
        return Real();
    }
    return dy[DY_BASE + ((at.z + i) * OUT_W + j) * OUT_REALS + channels];
}

// WIDTH terms of one input channel: output channels of one tap.
fn kernel_terms(channel: u32, term: u32) -> Real {
    if channel >= IN_C || term >= TERMS {
        return Real();
    }
    return kernel[KERNEL_BASE + (term / OUT_C * IN_C + channel) * OUT_REALS + term % OUT_C / WIDTH];
}

fn kernel_square(channels: u32, term: u32) -> Square {
    let channel = channels * WIDTH;
    return transpose(Square(
        kernel_terms(channel, term),
        kernel_terms(channel + 1u, term),
        kernel_terms(channel + 2u, term),
        kernel_terms(channel + 3u, term),
    ));
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
    let at0 = place(position);
    let at1 = place(position + 1u);
    let at2 = place(position + 2u);
    let at3 = place(position + 3u);
    var sum: Sums;
    for (var t = 0u; t < TERMS; t += TILE_TERMS) {
        let term = t + column * WIDTH;
        let number = term / OUT_C;
        let tap = vec2u(number / KERNEL_W, number % KERNEL_W);
        let outputs = term % OUT_C / WIDTH;
        let is_term = term < TERMS;
        // Until nobody reads the tiles before.
        workgroupBarrier();
        put(A_TILE, column, row, transpose(Square(
            dy_terms(at0, tap, outputs, is_term && position < POSITIONS),
            dy_terms(at1, tap, outputs, is_term && position + 1u < POSITIONS),
            dy_terms(at2, tap, outputs, is_term && position + 2u < POSITIONS),
            dy_terms(at3, tap, outputs, is_term && position + 3u < POSITIONS),
        )));
        put(B_TILE, row, column, kernel_square(channels, t + row * WIDTH));
        workgroupBarrier();
        add_products(&sum, row, column);
    }
    for (var v = 0u; v < WIDTH; v++) {
        if position + v < POSITIONS && channels < IN_REALS {
            dx[DX_BASE + (position + v) * IN_REALS + channels] = sum[v];
        }
    }
}
