// import shared/linear_index.wgsl

// conv2d_backward_kernel, as a register tile: one invocation sums the whole kernel window for one part, input channel
// and TILE_C Reals of output channels. It goes along each output row with the inputs under the window in registers, so
// that each load feeds many multiply-adds. OUT_C is a multiple of 4.
//
// x       [BATCH, IN_H, IN_W, IN_C]
// dy      [BATCH, OUT_H, OUT_W, OUT_C]
// partial [PARTS, KERNEL_H, KERNEL_W, IN_C, OUT_C]

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> dy: array<Real>;
@group(0) @binding(2) var<storage, read_write> partial: array<Real>;

const OUT_REALS = OUT_C / WIDTH;
const TILES_C = (OUT_REALS + TILE_C - 1u) / TILE_C;
const TAPS = KERNEL_H * KERNEL_W;

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
    let index = linear_index(group, local);
    if index >= INVOCATIONS {
        return;
    }
    let o = index % TILES_C * TILE_C;
    let c = index / TILES_C % IN_C;
    let part = index / (TILES_C * IN_C);
    let first = part * TERMS_PER_PART;
    let end = min(first + TERMS_PER_PART, TERMS);
    var sum: array<array<Real, TILE_C>, TAPS>;
    for (var row = first; row < end; row++) {
        let corner = (row / OUT_H * IN_H + row % OUT_H * STRIDE_H) * IN_W;
        var window: array<f32, TAPS>;
        // The columns of the window that the first position does not bring itself.
        for (var p = 0u; p < KERNEL_H; p++) {
            for (var q = STRIDE_W; q < KERNEL_W; q++) {
                window[p * KERNEL_W + q] = x[X_BASE + (corner + p * IN_W + q - STRIDE_W) * IN_C + c];
            }
        }
        for (var j = 0u; j < OUT_W; j++) {
            for (var p = 0u; p < KERNEL_H; p++) {
                for (var q = 0u; q < KERNEL_W; q++) {
                    if q + STRIDE_W < KERNEL_W {
                        window[p * KERNEL_W + q] = window[p * KERNEL_W + q + STRIDE_W];
                    } else {
                        window[p * KERNEL_W + q] = x[X_BASE + (corner + p * IN_W + j * STRIDE_W + q) * IN_C + c];
                    }
                }
            }
            for (var d = 0u; d < TILE_C; d++) {
                let gradient = dy[DY_BASE + (row * OUT_W + j) * OUT_REALS + min(o + d, OUT_REALS - 1u)];
                for (var tap = 0u; tap < TAPS; tap++) {
                    sum[tap][d] += window[tap] * gradient;
                }
            }
        }
    }
    for (var tap = 0u; tap < TAPS; tap++) {
        for (var d = 0u; d < TILE_C; d++) {
            if o + d < OUT_REALS {
                partial[PARTIAL_BASE + ((part * TAPS + tap) * IN_C + c) * OUT_REALS + o + d] = sum[tap][d];
            }
        }
    }
}
