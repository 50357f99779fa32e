// import shared/linear_index.wgsl
// import lanes/eight_{vec4,int64}.wgsl
// import lanes/given.wgsl
// import lanes/image_rows.wgsl
// import shared/winners_vec4.wgsl

// conv2d_maxpool_backward_kernel for images of one channel, by subgroup: each lane holds the sums of 8 channels over the
// whole kernel window, IMAGE_LANES lanes hold those of all channels for one row of windows at a time, and the others those
// for the next rows of the part, RUN windows at a time. They hand each other the pixels (lanes/image_rows.wgsl) and in the
// end their sums. IN_W is a multiple of 4, OUT_C of 8.
//
// x       [BATCH, IN_H, IN_W, 1]
// dy      [BATCH, OUT_H, OUT_W, OUT_C]
// winner  [BATCH, OUT_H, OUT_W, OUT_C], as words of four winners each
// partial [PARTS, KERNEL_H * KERNEL_W + 1, OUT_C]

@group(0) @binding(0) var<storage, read> x: array<vec4f>;
@group(0) @binding(1) var<storage, read> dy: array<Eights>;
@group(0) @binding(2) var<storage, read> winner: array<vec2u>;
@group(0) @binding(3) var<storage, read_write> partial: array<Eights>;

const C_EIGHTS = OUT_C / EIGHTS;
const TILES_C = (C_EIGHTS + IMAGE_LANES - 1u) / IMAGE_LANES;
const TAPS = KERNEL_H * KERNEL_W;

// Whether each element of a window won it, for four channels.
alias Won = array<array<vec4<bool>, POOL_W>, POOL_H>;

fn winners_of(winner_of_window: vec4u) -> Won {
    var won: Won;
    for (var a = 0u; a < POOL_H; a++) {
        for (var b = 0u; b < POOL_W; b++) {
            won[a][b] = winner_of_window == vec4u(a * POOL_W + b);
        }
    }
    return won;
}

// The pixels that met a weight where the winners were computed; `column` is that of the first element's.
fn won_pixels(pixels: ptr<function, Patch>, won: ptr<function, Won>, p: u32, column: u32) -> vec4f {
    var found = vec4f();
    for (var a = 0u; a < POOL_H; a++) {
        for (var b = 0u; b < POOL_W; b++) {
            let w = column + b * STRIDE_W;
            found = select(found, vec4f((*pixels)[a * STRIDE_H + p][w / 4u][w % 4u]), (*won)[a][b]);
        }
    }
    return found;
}

// The sum over the lanes that hold the same channels.
fn over_images(mine: Eight, lane: u32) -> Eight {
    var total = Eight();
    for (var lanes = 0u; lanes < LANES; lanes += IMAGE_LANES) {
        total.low += subgroupShuffle(mine.low, lanes + lane % IMAGE_LANES);
        total.high += subgroupShuffle(mine.high, lanes + lane % IMAGE_LANES);
    }
    return total;
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
    let o = tile % TILES_C * IMAGE_LANES + lane % IMAGE_LANES;
    let channel = min(o, C_EIGHTS - 1u);
    let part = tile / TILES_C;
    let end = min((part + 1u) * TERMS_PER_PART, TERMS);
    var sum: array<array<Eight, KERNEL_W>, KERNEL_H>;
    var bias_sum: Eight;
    for (var first = part * TERMS_PER_PART; first < end; first += IMAGES) {
        let own = first + lane / IMAGE_LANES;
        let row = min(own, end - 1u);
        let top = row / OUT_H * IN_H + row % OUT_H * POOL_STRIDE_H * STRIDE_H;
        var rows: array<ImageRow, PATCH_H>;
        for (var p = 0u; p < PATCH_H; p++) {
            rows[p] = image_row(X_BASE + (top + p) * ROW_FOURS, lane);
        }
        var pixels = first_pixels(&rows, lane);
        for (var run = 0u; run < RUNS; run++) {
            var gradients: array<Eight, RUN>;
            var low: array<vec4u, RUN>;
            var high: array<vec4u, RUN>;
            for (var r = 0u; r < RUN; r++) {
                let j = run * RUN + r;
                let window = (row * OUT_W + min(j, OUT_W - 1u)) * C_EIGHTS + channel;
                let won = winner[WINNER_BASE + window];
                low[r] = winners_in(won.x);
                high[r] = winners_in(won.y);
                let outside = vec4<bool>(j >= OUT_W || own >= end);
                let gradient = unpacked(dy[DY_BASE + window]);
                let none = vec4u(POOL_H * POOL_W);
                gradients[r].low = select(gradient.low, vec4f(), outside | (low[r] == none));
                gradients[r].high = select(gradient.high, vec4f(), outside | (high[r] == none));
            }
            next_pixels(&pixels, &rows, run, lane);
            for (var r = 0u; r < RUN; r++) {
                var won_low = winners_of(low[r]);
                var won_high = winners_of(high[r]);
                for (var p = 0u; p < KERNEL_H; p++) {
                    for (var q = 0u; q < KERNEL_W; q++) {
                        let column = r * STEP_W + q;
                        sum[p][q].low += won_pixels(&pixels, &won_low, p, column) * gradients[r].low;
                        sum[p][q].high += won_pixels(&pixels, &won_high, p, column) * gradients[r].high;
                    }
                }
                bias_sum.low += gradients[r].low;
                bias_sum.high += gradients[r].high;
            }
        }
    }
    let first_place = PARTIAL_BASE + part * (TAPS + 1u) * C_EIGHTS + o;
    for (var p = 0u; p < KERNEL_H; p++) {
        for (var q = 0u; q < KERNEL_W; q++) {
            let total = over_images(sum[p][q], lane);
            if o < C_EIGHTS && lane < IMAGE_LANES {
                partial[first_place + (p * KERNEL_W + q) * C_EIGHTS] = packed(total);
            }
        }
    }
    let total = over_images(bias_sum, lane);
    if o < C_EIGHTS && lane < IMAGE_LANES {
        partial[first_place + TAPS * C_EIGHTS] = packed(total);
    }
}
