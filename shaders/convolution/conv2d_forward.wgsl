// import shared/linear_index.wgsl

// conv2d_forward: y[n, i, j, o] = bias[o] + sum_{p, q, c} x[n, i*sh + p*dh, j*sw + q*dw, g*GROUP_IN + c] * kernel[p, q, c, o],
// where g is the group of o; with RELU cut off below 0.
// One invocation per output position and Real of output channels.
//
// x      [BATCH, IN_H, IN_W, IN_C]
// kernel [KERNEL_H, KERNEL_W, GROUP_IN, OUT_C]
// bias   [OUT_C]
// y      [BATCH, OUT_H, OUT_W, OUT_C]

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> kernel: array<Real>;
@group(0) @binding(2) var<storage, read> bias: array<Real>;
@group(0) @binding(3) var<storage, read_write> y: array<Real>;

const OUT_REALS = OUT_C / WIDTH;

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
    let index = linear_index(group, local);
    if index >= INVOCATIONS {
        return;
    }
    let o = index % OUT_REALS;
    let j = index / OUT_REALS % OUT_W;
    let i = index / (OUT_REALS * OUT_W) % OUT_H;
    let n = index / (OUT_REALS * OUT_W * OUT_H);
    // The first channel that the outputs of this group read.
    let first = o * WIDTH / GROUP_OUT * GROUP_IN;
    var sum = bias[BIAS_BASE + o];
    for (var p = 0u; p < KERNEL_H; p++) {
        for (var q = 0u; q < KERNEL_W; q++) {
            let row = n * IN_H + i * STRIDE_H + p * DILATION_H;
            let pixel = row * IN_W + j * STRIDE_W + q * DILATION_W;
            let tap = p * KERNEL_W + q;
            for (var c = 0u; c < GROUP_IN; c++) {
                let weight = kernel[KERNEL_BASE + (tap * GROUP_IN + c) * OUT_REALS + o];
                sum += x[X_BASE + pixel * IN_C + first + c] * weight;
            }
        }
    }
    if RELU {
        sum = select(sum, Real(), sum <= Real());
    }
    y[Y_BASE + index] = sum;
}
