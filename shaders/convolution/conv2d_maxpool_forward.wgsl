// import shared/linear_index.wgsl
// import shared/window_maximum.wgsl
// import shared/winners_{scalar,vec4}.wgsl

// conv2d_maxpool_forward: convolution, ReLU where asked for, and the maximum of each window, without the convolution's
// output ever leaving the registers.
// z[n, h, w, o] = relu(bias[o] + sum_{p, q, c} x[n, h*sh + p, w*sw + q, c] * kernel[p, q, c, o]);
// y[n, i, j, o] = max over the window (i, j) of z; winner is the first maximum in row-major order, POOL_H*POOL_W where
// ReLU cut off all of them. One invocation per window and Real of channels.
//
// x      [BATCH, IN_H, IN_W, IN_C]
// kernel [KERNEL_H, KERNEL_W, IN_C, OUT_C]
// bias   [OUT_C]
// y      [BATCH, OUT_H, OUT_W, OUT_C]
// winner [BATCH, OUT_H, OUT_W, OUT_C], as words of WIDTH winners each

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> kernel: array<Real>;
@group(0) @binding(2) var<storage, read> bias: array<Real>;
@group(0) @binding(3) var<storage, read_write> y: array<Real>;
@group(0) @binding(4) var<storage, read_write> winner: array<u32>;

const REALS = OUT_C / WIDTH;

// The convolution at the output that begins at this pixel of x, for one Real of channels.
fn convolved(pixel: u32, o: u32) -> Real {
    var sum = bias[BIAS_BASE + o];
    for (var p = 0u; p < KERNEL_H; p++) {
        for (var q = 0u; q < KERNEL_W; q++) {
            for (var c = 0u; c < IN_C; c++) {
                let tap = (p * KERNEL_W + q) * IN_C + c;
                sum += x[X_BASE + (pixel + p * IN_W + q) * IN_C + c] * kernel[KERNEL_BASE + tap * REALS + o];
            }
        }
    }
    return sum;
}

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
    let index = linear_index(group, local);
    if index >= INVOCATIONS {
        return;
    }
    let o = index % REALS;
    let j = index / REALS % OUT_W;
    let i = index / (REALS * OUT_W) % OUT_H;
    let n = index / (REALS * OUT_W * OUT_H);
    var best = Best(Real(), Index(POOL_H * POOL_W));
    for (var p = 0u; p < POOL_H; p++) {
        for (var q = 0u; q < POOL_W; q++) {
            let h = i * POOL_STRIDE_H + p;
            let w = j * POOL_STRIDE_W + q;
            let value = convolved((n * IN_H + h * STRIDE_H) * IN_W + w * STRIDE_W, o);
            best = better(best, value, p * POOL_W + q);
        }
    }
    y[Y_BASE + index] = best.value;
    winner[WINNER_BASE + index] = winners_kept(best.element);
}
