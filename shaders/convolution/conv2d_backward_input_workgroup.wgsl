// import shared/group_tile.wgsl

// conv2d_backward_input, as a product through workgroup memory (shared/workgroup_product.wgsl): a workgroup computes one tile of
// positions of dx by input channels of a group. The terms of a position are taps and the output channels of each, gathered from dy:
// zeros where no output reads the position through that tap. GROUP_IN and GROUP_OUT are multiples of 4.
//
// dy     [BATCH, OUT_H, OUT_W, OUT_C]
// kernel [KERNEL_H, KERNEL_W, GROUP_IN, OUT_C]
// dx     [BATCH, PART_H, PART_W, IN_C]

@group(0) @binding(0) var<storage, read> dy: array<Real>;
@group(0) @binding(1) var<storage, read> kernel: array<Real>;
@group(0) @binding(2) var<storage, read_write> dx: array<Real>;

const A_ALONG = true;
const B_ALONG = true;
const CHANNELS = IN_C;
const GROUP = GROUP_IN;
const IN_REALS = IN_C / WIDTH;
const OUT_REALS = OUT_C / WIDTH;

// Four positions of dx: row and column of each in x, the number of the first row of its image's outputs, whether it is there; the first
// Real of output channels of the group; and an input channel of the group, with its three neighbours.
struct Place {
    h: vec4u,
    w: vec4u,
    images: vec4u,
    are_inside: vec4<bool>,
    outputs: u32,
    channel: u32,
}

fn place_of(tile: u32, row: u32, column: u32) -> Place {
    let positions = (tile / TILES_C * SPAN + row) * WIDTH + vec4u(0u, 1u, 2u, 3u);
    return Place(
        positions / PART_W % PART_H + TOP,
        positions % PART_W + LEFT,
        positions / (PART_W * PART_H) * OUT_H,
        positions < vec4u(POSITIONS),
        group_of(tile) * (GROUP_OUT / WIDTH),
        in_group(tile, column) * WIDTH,
    );
}

fn terms_of(tile: u32) -> vec2u {
    return vec2u(0u, TERMS);
}

// WIDTH terms of a position: output channels of the output at this place.
fn dy_terms(place: u32, is_inside: bool) -> Real {
    return select(Real(), dy[DY_BASE + select(0u, place, is_inside)], is_inside);
}

// WIDTH terms of four positions: of the outputs that read them through one tap.
fn a_square(place: Place, term: u32, end: u32) -> Square {
    let tap = term / GROUP_OUT;
    // What lies before the first row or column becomes a large number, and so no output.
    let h = place.h - tap / KERNEL_W * DILATION_H;
    let w = place.w - tap % KERNEL_W * DILATION_W;
    let i = h / STRIDE_H;
    let j = w / STRIDE_W;
    let reads_row = (i * STRIDE_H == h) & (i < vec4u(OUT_H));
    let reads_column = (j * STRIDE_W == w) & (j < vec4u(OUT_W));
    let reads = place.are_inside & reads_row & reads_column & vec4<bool>(term < end);
    let places = ((place.images + i) * OUT_W + j) * OUT_REALS + place.outputs + term % GROUP_OUT / WIDTH;
    return transpose(Square(
        dy_terms(places.x, reads.x),
        dy_terms(places.y, reads.y),
        dy_terms(places.z, reads.z),
        dy_terms(places.w, reads.w),
    ));
}

// WIDTH terms of one input channel, whose first stand here: output channels of one tap.
fn kernel_terms(place: u32, is_inside: bool) -> Real {
    return select(Real(), kernel[KERNEL_BASE + select(0u, place, is_inside)], is_inside);
}

fn b_square(place: Place, term: u32, end: u32) -> Square {
    let first = (term / GROUP_OUT * GROUP_IN + place.channel) * OUT_REALS + place.outputs + term % GROUP_OUT / WIDTH;
    let is_inside = place.channel < GROUP_IN && term < end;
    return transpose(Square(
        kernel_terms(first, is_inside),
        kernel_terms(first + OUT_REALS, is_inside),
        kernel_terms(first + 2u * OUT_REALS, is_inside),
        kernel_terms(first + 3u * OUT_REALS, is_inside),
    ));
}

fn store(tile: u32, row: u32, column: u32, sum: Real) {
    let position = tile / TILES_C * SPAN * WIDTH + row;
    let channels = in_group(tile, column);
    if position < POSITIONS && channels < GROUP_IN / WIDTH {
        dx[DX_BASE + position * IN_REALS + group_of(tile) * (GROUP_IN / WIDTH) + channels] = sum;
    }
}
