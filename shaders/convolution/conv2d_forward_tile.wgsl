// import shared/linear_index.wgsl

// conv2d_forward, as a register tile: one invocation computes TILE_W neighbouring outputs of one row by TILE_C Reals of
// output channels, so that each load feeds many multiply-adds. OUT_C is a multiple of 4; what lies past the edge is
// computed from the last positions and channels and not stored.
//
// x      [BATCH, IN_H, IN_W, IN_C]
// kernel [KERNEL_H, KERNEL_W, IN_C, OUT_C]
// bias   [OUT_C]
// y      [BATCH, OUT_H, OUT_W, OUT_C]

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> kernel: array<Real>;
@group(0) @binding(2) var<storage, read> bias: array<Real>;
@group(0) @binding(3) var<storage, read_write> y: array<Real>;

const OUT_REALS = OUT_C / WIDTH;
const TILES_C = (OUT_REALS + TILE_C - 1u) / TILE_C;
const TILES_W = (OUT_W + TILE_W - 1u) / TILE_W;
// Inputs under a tile, along a row.
const SPAN = (TILE_W - 1u) * STRIDE_W + KERNEL_W;

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
    let index = linear_index(group, local);
    if index >= INVOCATIONS {
        return;
    }
    let o = index % TILES_C * TILE_C;
    let j = index / TILES_C % TILES_W * TILE_W;
    let i = index / (TILES_C * TILES_W) % OUT_H;
    let n = index / (TILES_C * TILES_W * OUT_H);
    var sum: array<array<Real, TILE_C>, TILE_W>;
    for (var d = 0u; d < TILE_C; d++) {
        let start = bias[BIAS_BASE + min(o + d, OUT_REALS - 1u)];
        for (var v = 0u; v < TILE_W; v++) {
            sum[v][d] = start;
        }
    }
    for (var p = 0u; p < KERNEL_H; p++) {
        let row = (n * IN_H + i * STRIDE_H + p) * IN_W;
        for (var c = 0u; c < IN_C; c++) {
            var span: array<f32, SPAN>;
            for (var w = 0u; w < SPAN; w++) {
                span[w] = x[X_BASE + (row + min(j * STRIDE_W + w, IN_W - 1u)) * IN_C + c];
            }
            for (var q = 0u; q < KERNEL_W; q++) {
                let tap = KERNEL_BASE + ((p * KERNEL_W + q) * IN_C + c) * OUT_REALS;
                for (var d = 0u; d < TILE_C; d++) {
                    let weight = kernel[tap + min(o + d, OUT_REALS - 1u)];
                    for (var v = 0u; v < TILE_W; v++) {
                        sum[v][d] += span[v * STRIDE_W + q] * weight;
                    }
                }
            }
        }
    }
    for (var v = 0u; v < TILE_W; v++) {
        for (var d = 0u; d < TILE_C; d++) {
            if RELU {
                sum[v][d] = select(sum[v][d], Real(), sum[v][d] <= Real());
            }
            if j + v < OUT_W && o + d < OUT_REALS {
                y[Y_BASE + ((n * OUT_H + i) * OUT_W + j + v) * OUT_REALS + o + d] = sum[v][d];
            }
        }
    }
}
