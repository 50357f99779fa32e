// import shared/group_tile.wgsl

// The product that is a convolution, through workgroup memory: a workgroup computes one tile of output positions by output channels of a
// group. The terms of a position are the taps of its window and their channels, gathered from x by the kernel that imports this, in
// a_square(place, term, end), while they are stored in workgroup memory: no matrix of them is ever made.
//
// kernel [KERNEL_H, KERNEL_W, GROUP_IN, OUT_C]
// bias   [OUT_C]
// y      [BATCH, OUT_H, OUT_W, OUT_C]
const A_ALONG = true;
const B_ALONG = false;
const CHANNELS = OUT_C;
const GROUP = GROUP_OUT;
const OUT_REALS = OUT_C / WIDTH;
const GROUP_REALS = GROUP_OUT / WIDTH;

// Four positions, and of each the number of x under its first tap, where its group begins; and a Real of output channels.
struct Place {
    are_inside: vec4<bool>,
    corners: vec4u,
    channels: u32,
    is_channel: bool,
}

fn place_of(tile: u32, row: u32, column: u32) -> Place {
    let positions = (tile / TILES_C * SPAN + row) * WIDTH + vec4u(0u, 1u, 2u, 3u);
    let j = positions % OUT_W;
    let i = positions / OUT_W % OUT_H;
    let n = positions / (OUT_W * OUT_H);
    let pixels = (n * IN_H + i * STRIDE_H) * IN_W + j * STRIDE_W;
    let group = group_of(tile);
    let channels = in_group(tile, column);
    return Place(
        positions < vec4u(POSITIONS),
        pixels * IN_C + group * GROUP_IN,
        group * GROUP_REALS + channels,
        channels < GROUP_REALS,
    );
}

fn terms_of(tile: u32) -> vec2u {
    return vec2u(0u, TERMS);
}

// One term of a Real of output channels.
fn kernel_channels(place: Place, term: u32, end: u32) -> Real {
    let is_inside = place.is_channel && term < end;
    return select(Real(), kernel[KERNEL_BASE + select(0u, term * OUT_REALS + place.channels, is_inside)], is_inside);
}

fn b_square(place: Place, term: u32, end: u32) -> Square {
    return Square(
        kernel_channels(place, term, end),
        kernel_channels(place, term + 1u, end),
        kernel_channels(place, term + 2u, end),
        kernel_channels(place, term + 3u, end),
    );
}

fn store(tile: u32, row: u32, column: u32, sum: Real) {
    let position = tile / TILES_C * SPAN * WIDTH + row;
    let channels = group_of(tile) * GROUP_REALS + in_group(tile, column);
    if position < POSITIONS && in_group(tile, column) < GROUP_REALS {
        var value = sum + bias[BIAS_BASE + channels];
        if RELU {
            value = select(value, Real(), value <= Real());
        }
        y[Y_BASE + position * OUT_REALS + channels] = value;
    }
}

// How far a tap's channel, the term of this number, lies from the first of its window.
fn distance(term: u32) -> u32 {
    let tap = term / GROUP_IN;
    return (tap / KERNEL_W * DILATION_H * IN_W + tap % KERNEL_W * DILATION_W) * IN_C + term % GROUP_IN;
}
