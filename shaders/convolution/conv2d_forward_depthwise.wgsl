// import shared/linear_index.wgsl

// conv2d_forward where each channel is a group of its own:
// y[n, i, j, c] = bias[c] + sum_{p, q} x[n, i*sh + p*dh, j*sw + q*dw, c] * kernel[p, q, 0, c], with RELU cut off below 0.
// One invocation per output position and four channels.
//
// x      [BATCH, IN_H, IN_W, OUT_C]
// kernel [KERNEL_H, KERNEL_W, 1, OUT_C]
// bias   [OUT_C]
// y      [BATCH, OUT_H, OUT_W, OUT_C]

@group(0) @binding(0) var<storage, read> x: array<Real>;
@group(0) @binding(1) var<storage, read> kernel: array<Real>;
@group(0) @binding(2) var<storage, read> bias: array<Real>;
@group(0) @binding(3) var<storage, read_write> y: array<Real>;

const REALS = OUT_C / WIDTH;

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
    let index = linear_index(group, local);
    if index >= INVOCATIONS {
        return;
    }
    let c = index % REALS;
    let j = index / REALS % OUT_W;
    let i = index / (REALS * OUT_W) % OUT_H;
    let n = index / (REALS * OUT_W * OUT_H);
    var sum = bias[BIAS_BASE + c];
    for (var p = 0u; p < KERNEL_H; p++) {
        for (var q = 0u; q < KERNEL_W; q++) {
            let row = n * IN_H + i * STRIDE_H + p * DILATION_H;
            let pixel = row * IN_W + j * STRIDE_W + q * DILATION_W;
            sum += x[X_BASE + pixel * REALS + c] * kernel[KERNEL_BASE + (p * KERNEL_W + q) * REALS + c];
        }
    }
    if RELU {
        sum = select(sum, Real(), sum <= Real());
    }
    y[Y_BASE + index] = sum;
}
