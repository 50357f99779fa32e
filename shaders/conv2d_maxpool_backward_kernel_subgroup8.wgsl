// conv2d_maxpool_backward_kernel for images of one channel, by subgroup: the 8 lanes hold 8 Reals of channels with the
// sums of the whole kernel window in registers, and go through the rows of windows of one part together, RUN windows at a
// time. Each lane loads one Real of an image row, the whole row between them, and hands its pixels to the others. IN_W is
// a multiple of 4, at most 32.
//
// x       [BATCH, IN_H, IN_W, 1]
// dy      [BATCH, OUT_H, OUT_W, OUT_C]
// winner  [BATCH, OUT_H, OUT_W, OUT_C]
// partial [PARTS, KERNEL_H * KERNEL_W + 1, OUT_C]

@group(0) @binding(0) var<storage, read> x: array<Real>;
@group(0) @binding(1) var<storage, read> dy: array<Real>;
@group(0) @binding(2) var<storage, read> winner: array<Index>;
@group(0) @binding(3) var<storage, read_write> partial: array<Real>;

const REALS = OUT_C / WIDTH;
const TILES_C = (REALS + LANES - 1u) / LANES;
const ROW_REALS = IN_W / WIDTH;
const TAPS = KERNEL_H * KERNEL_W;
// Pixels under one window.
const PATCH_H = (POOL_H - 1u) * STRIDE_H + KERNEL_H;
const PATCH_W = (POOL_W - 1u) * STRIDE_W + KERNEL_W;
// A run of windows begins at a whole Real of the row. Runs past the edge ask lanes that are not there, and are not used.
const STEP_W = POOL_STRIDE_W * STRIDE_W;
const RUN_LANES = RUN * STEP_W / WIDTH;
const RUN_W = (RUN - 1u) * STEP_W + PATCH_W;
const RUNS = (OUT_W + RUN - 1u) / RUN;

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
    let o = tile % TILES_C * LANES + lane;
    let channel = min(o, REALS - 1u);
    let part = tile / TILES_C;
    let first = part * TERMS_PER_PART;
    let end = min(first + TERMS_PER_PART, TERMS);
    // The bias comes last.
    var sum: array<Real, TAPS + 1u>;
    for (var row = first; row < end; row++) {
        let top = row / OUT_H * IN_H + row % OUT_H * POOL_STRIDE_H * STRIDE_H;
        var rows: array<Real, PATCH_H>;
        for (var p = 0u; p < PATCH_H; p++) {
            rows[p] = x[X_BASE + (top + p) * ROW_REALS + min(lane, ROW_REALS - 1u)];
        }
        for (var run = 0u; run < RUNS; run++) {
            var gradients: array<Real, RUN>;
            var winners: array<Index, RUN>;
            for (var r = 0u; r < RUN; r++) {
                let j = run * RUN + r;
                let window = (row * OUT_W + min(j, OUT_W - 1u)) * REALS + channel;
                winners[r] = winner[WINNER_BASE + window];
                let none = vec4<bool>(j >= OUT_W) | (winners[r] == Index(POOL_H * POOL_W));
                gradients[r] = select(dy[DY_BASE + window], Real(), none);
            }
            var pixels: array<array<f32, RUN_W>, PATCH_H>;
            for (var p = 0u; p < PATCH_H; p++) {
                for (var q = 0u; q < RUN_W; q++) {
                    pixels[p][q] = subgroupShuffle(rows[p][q % WIDTH], run * RUN_LANES + q / WIDTH);
                }
            }
            for (var r = 0u; r < RUN; r++) {
                for (var p = 0u; p < KERNEL_H; p++) {
                    for (var q = 0u; q < KERNEL_W; q++) {
                        // The pixel that met this weight where the winner was computed.
                        var pixel = Real();
                        for (var a = 0u; a < POOL_H; a++) {
                            for (var b = 0u; b < POOL_W; b++) {
                                let there = Real(pixels[a * STRIDE_H + p][r * STEP_W + b * STRIDE_W + q]);
                                pixel = select(pixel, there, winners[r] == Index(a * POOL_W + b));
                            }
                        }
                        sum[p * KERNEL_W + q] += pixel * gradients[r];
                    }
                }
                sum[TAPS] += gradients[r];
            }
        }
    }
    if o < REALS {
        for (var tap = 0u; tap <= TAPS; tap++) {
            partial[PARTIAL_BASE + (part * (TAPS + 1u) + tap) * REALS + o] = sum[tap];
        }
    }
}
