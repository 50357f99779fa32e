// import shared/group_tile.wgsl

// The product that is the gradient of a convolution's kernel, through workgroup memory: a workgroup computes one tile of taps and their
// input channels by output channels of a group, for one part. The terms are output positions, under whose windows x is gathered by the
// kernel that imports this, in x_channels(place, corner, is_inside).
//
// dy      [BATCH, OUT_H, OUT_W, OUT_C]
// partial [PARTS, KERNEL_H, KERNEL_W, GROUP_IN, OUT_C], each the sums of TERMS_PER_PART output rows (n, i)
const A_ALONG = false;
const B_ALONG = false;
const CHANNELS = OUT_C;
const GROUP = GROUP_OUT;
const OUT_REALS = OUT_C / WIDTH;
const GROUP_REALS = GROUP_OUT / WIDTH;
const ROWS = KERNEL_H * KERNEL_W * GROUP_IN;
const TILES_ROWS = (ROWS + WIDTH * SPAN - 1u) / (WIDTH * SPAN);

// Four taps and channels of x, by their distances from the first pixel of a window, and a Real of output channels.
struct Place {
    taps: vec4u,
    are_rows: vec4<bool>,
    channels: u32,
    is_channel: bool,
}

fn first_row(tile: u32) -> u32 {
    return tile / TILES_C % TILES_ROWS * SPAN * WIDTH;
}

fn part_of(tile: u32) -> u32 {
    return tile / (TILES_C * TILES_ROWS);
}

fn place_of(tile: u32, row: u32, column: u32) -> Place {
    let rows = first_row(tile) + row * WIDTH + vec4u(0u, 1u, 2u, 3u);
    let tap = rows / GROUP_IN;
    let pixel = tap / KERNEL_W * DILATION_H * IN_W + tap % KERNEL_W * DILATION_W;
    let group = group_of(tile);
    let channels = in_group(tile, column);
    return Place(
        pixel * IN_C + group * GROUP_IN + rows % GROUP_IN,
        rows < vec4u(ROWS),
        group * GROUP_REALS + channels,
        channels < GROUP_REALS,
    );
}

fn terms_of(tile: u32) -> vec2u {
    let first = part_of(tile) * TERMS_PER_PART;
    return vec2u(first, min(first + TERMS_PER_PART, TERMS)) * OUT_W;
}

fn a_term(place: Place, position: u32, end: u32) -> Real {
    let j = position % OUT_W;
    let i = position / OUT_W % OUT_H;
    let n = position / (OUT_W * OUT_H);
    let pixel = (n * IN_H + i * STRIDE_H) * IN_W + j * STRIDE_W;
    return x_channels(place, pixel * IN_C, position < end);
}

fn a_square(place: Place, term: u32, end: u32) -> Square {
    return Square(
        a_term(place, term, end),
        a_term(place, term + 1u, end),
        a_term(place, term + 2u, end),
        a_term(place, term + 3u, end),
    );
}

fn dy_channels(place: Place, position: u32, end: u32) -> Real {
    let is_inside = position < end && place.is_channel;
    return select(Real(), dy[DY_BASE + select(0u, position * OUT_REALS + place.channels, is_inside)], is_inside);
}

fn b_square(place: Place, term: u32, end: u32) -> Square {
    return Square(
        dy_channels(place, term, end),
        dy_channels(place, term + 1u, end),
        dy_channels(place, term + 2u, end),
        dy_channels(place, term + 3u, end),
    );
}

fn store(tile: u32, row: u32, column: u32, sum: Real) {
    let rows = first_row(tile) + row;
    let channels = in_group(tile, column);
    if rows < ROWS && channels < GROUP_REALS {
        let place = (part_of(tile) * ROWS + rows) * OUT_REALS + group_of(tile) * GROUP_REALS + channels;
        partial[PARTIAL_BASE + place] = sum;
    }
}
