// import shared/linear_index.wgsl
// import lanes/given.wgsl
// import shared/window_maximum.wgsl
// import shared/winners_vec4.wgsl

// conv2d_maxpool_forward for images of one channel, by subgroup: the lanes hold a Real of channels each with all their
// weights in registers, and go through TILE_I rows of windows of one image together, RUN windows at a time. Each lane loads
// one Real in LANES of an image row, the whole row between them, and hands its pixels to the others. IN_W is a multiple of 4, at
// most 32.
//
// x      [BATCH, IN_H, IN_W, 1]
// kernel [KERNEL_H, KERNEL_W, 1, OUT_C]
// bias   [OUT_C]
// y      [BATCH, OUT_H, OUT_W, OUT_C]
// winner [BATCH, OUT_H, OUT_W, OUT_C], as words of four winners each

@group(0) @binding(0) var<storage, read> x: array<Real>;
@group(0) @binding(1) var<storage, read> kernel: array<Real>;
@group(0) @binding(2) var<storage, read> bias: array<Real>;
@group(0) @binding(3) var<storage, read_write> y: array<Real>;
@group(0) @binding(4) var<storage, read_write> winner: array<u32>;

const REALS = OUT_C / WIDTH;
const TILES_C = (REALS + LANES - 1u) / LANES;
const TILES_I = (OUT_H + TILE_I - 1u) / TILE_I;
const ROW_REALS = IN_W / WIDTH;
// Reals of a row to a lane.
const HELD = (ROW_REALS + LANES - 1u) / LANES;
const TAPS = KERNEL_H * KERNEL_W;
// Pixels under one window.
const PATCH_H = (POOL_H - 1u) * STRIDE_H + KERNEL_H;
const PATCH_W = (POOL_W - 1u) * STRIDE_W + KERNEL_W;
// A run of windows begins at a whole Real of the row. Runs past the edge get any pixels, and are not used.
const STEP_W = POOL_STRIDE_W * STRIDE_W;
const RUN_REALS = RUN * STEP_W / WIDTH;
const RUN_W = (RUN - 1u) * STEP_W + PATCH_W;
const RUNS = (OUT_W + RUN - 1u) / RUN;

// An element of a Real of the row that the lanes have.
fn pixel(row: array<Real, HELD>, real: u32, element: u32) -> f32 {
    var found = row[0];
    for (var u = 1u; u < HELD; u++) {
        found = select(found, row[u], vec4<bool>(real / LANES == u));
    }
    return given(found[element], 0u, select(real % LANES, real, HELD == 1u), LANES);
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
    let o = tile % TILES_C * LANES + lane;
    let channel = min(o, REALS - 1u);
    let first = tile / TILES_C % TILES_I * TILE_I;
    let n = tile / (TILES_C * TILES_I);
    let start = bias[BIAS_BASE + channel];
    var weights: array<Real, TAPS>;
    for (var tap = 0u; tap < TAPS; tap++) {
        weights[tap] = kernel[KERNEL_BASE + tap * REALS + channel];
    }
    for (var i = first; i < min(first + TILE_I, OUT_H); i++) {
        let top = n * IN_H + i * POOL_STRIDE_H * STRIDE_H;
        var rows: array<array<Real, HELD>, PATCH_H>;
        for (var p = 0u; p < PATCH_H; p++) {
            for (var u = 0u; u < HELD; u++) {
                rows[p][u] = x[X_BASE + (top + p) * ROW_REALS + min(u * LANES + lane, ROW_REALS - 1u)];
            }
        }
        for (var run = 0u; run < RUNS; run++) {
            var pixels: array<array<f32, RUN_W>, PATCH_H>;
            for (var p = 0u; p < PATCH_H; p++) {
                for (var q = 0u; q < RUN_W; q++) {
                    pixels[p][q] = pixel(rows[p], run * RUN_REALS + q / WIDTH, q % WIDTH);
                }
            }
            var found: array<Best, RUN>;
            for (var r = 0u; r < RUN; r++) {
                var best = Best(Real(), Index(POOL_H * POOL_W));
                for (var a = 0u; a < POOL_H; a++) {
                    for (var b = 0u; b < POOL_W; b++) {
                        let left = r * STEP_W + b * STRIDE_W;
                        var sum = start;
                        for (var p = 0u; p < KERNEL_H; p++) {
                            for (var q = 0u; q < KERNEL_W; q++) {
                                sum += pixels[a * STRIDE_H + p][left + q] * weights[p * KERNEL_W + q];
                            }
                        }
                        best = better(best, sum, a * POOL_W + b);
                    }
                }
                found[r] = best;
            }
            for (var r = 0u; r < RUN; r++) {
                let j = run * RUN + r;
                if o < REALS && j < OUT_W {
                    let place = ((n * OUT_H + i) * OUT_W + j) * REALS + o;
                    y[Y_BASE + place] = found[r].value;
                    winner[WINNER_BASE + place] = winners_kept(found[r].element);
                }
            }
        }
    }
}
