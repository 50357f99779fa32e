// Rows of images of one channel, spread over a subgroup: IMAGE_LANES lanes next to one another work on one image, with the
// others on the next ones. Each has every IMAGE_LANES-th vec4 of a row, and gets pixels from the lane that has them.
const ROW_FOURS = IN_W / 4u;
const HELD = (ROW_FOURS + IMAGE_LANES - 1u) / IMAGE_LANES;

alias ImageRow = array<vec4f, HELD>;

// The lane's part of the row of x that begins at `first`.
fn image_row(first: u32, lane: u32) -> ImageRow {
    var row: ImageRow;
    for (var u = 0u; u < HELD; u++) {
        row[u] = x[first + min(u * IMAGE_LANES + lane % IMAGE_LANES, ROW_FOURS - 1u)];
    }
    return row;
}

// The four pixels at `four` of the row that this lane's image has; any others where the row is shorter.
fn four_pixels(row: ImageRow, four: u32, lane: u32) -> vec4f {
    var found = row[0];
    for (var u = 1u; u < HELD; u++) {
        found = select(found, row[u], vec4<bool>(four / IMAGE_LANES == u));
    }
    return given_four(found, lane / IMAGE_LANES, four % IMAGE_LANES, IMAGE_LANES);
}

// Pixels under one window.
const PATCH_H = (POOL_H - 1u) * STRIDE_H + KERNEL_H;
const PATCH_W = (POOL_W - 1u) * STRIDE_W + KERNEL_W;
// A run of windows begins at a whole vec4 of the row; it shares KEPT of them with the next one.
const STEP_W = POOL_STRIDE_W * STRIDE_W;
const RUN_FOURS = RUN * STEP_W / 4u;
const PATCH_FOURS = ((RUN - 1u) * STEP_W + PATCH_W + 3u) / 4u;
const KEPT = max(PATCH_FOURS, RUN_FOURS) - RUN_FOURS;
const RUNS = (OUT_W + RUN - 1u) / RUN;

alias Patch = array<array<vec4f, PATCH_FOURS>, PATCH_H>;

// The pixels that the first run shares with one before it, in the places where `next_pixels` looks for them.
fn first_pixels(rows: ptr<function, array<ImageRow, PATCH_H>>, lane: u32) -> Patch {
    var pixels: Patch;
    for (var p = 0u; p < PATCH_H; p++) {
        for (var f = 0u; f < KEPT; f++) {
            pixels[p][RUN_FOURS + f] = four_pixels((*rows)[p], f, lane);
        }
    }
    return pixels;
}

// Goes on to the pixels under a run, from those under the run before.
fn next_pixels(pixels: ptr<function, Patch>, rows: ptr<function, array<ImageRow, PATCH_H>>, run: u32, lane: u32) {
    for (var p = 0u; p < PATCH_H; p++) {
        for (var f = 0u; f < KEPT; f++) {
            (*pixels)[p][f] = (*pixels)[p][RUN_FOURS + f];
        }
        for (var f = KEPT; f < PATCH_FOURS; f++) {
            (*pixels)[p][f] = four_pixels((*rows)[p], run * RUN_FOURS + f, lane);
        }
    }
}
