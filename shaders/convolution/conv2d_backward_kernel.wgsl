// import shared/linear_index.wgsl

// conv2d_backward_kernel: dkernel[p, q, c, o] = sum_{n, i, j} x[n, i*sh + p*dh, j*sw + q*dw, g*GROUP_IN + c] * dy[n, i, j, o],
// where g is the group of o, in parts: partial[s] sums the s-th range of TERMS_PER_PART output rows (n, i).
// One invocation per part, tap, input channel of a group and Real of output channels.
//
// x       [BATCH, IN_H, IN_W, IN_C]
// dy      [BATCH, OUT_H, OUT_W, OUT_C]
// partial [PARTS, KERNEL_H, KERNEL_W, GROUP_IN, OUT_C]

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> dy: array<Real>;
@group(0) @binding(2) var<storage, read_write> partial: array<Real>;

const OUT_REALS = OUT_C / WIDTH;

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
    let index = linear_index(group, local);
    if index >= INVOCATIONS {
        return;
    }
    let o = index % OUT_REALS;
    let c = o * WIDTH / GROUP_OUT * GROUP_IN + index / OUT_REALS % GROUP_IN;
    let q = index / (OUT_REALS * GROUP_IN) % KERNEL_W;
    let p = index / (OUT_REALS * GROUP_IN * KERNEL_W) % KERNEL_H;
    let part = index / (OUT_REALS * GROUP_IN * KERNEL_W * KERNEL_H);
    let first = part * TERMS_PER_PART;
    let end = min(first + TERMS_PER_PART, TERMS);
    var sum = Real();
    for (var row = first; row < end; row++) {
        let n = row / OUT_H;
        let i = row % OUT_H;
        let x_row = (n * IN_H + i * STRIDE_H + p * DILATION_H) * IN_W + q * DILATION_W;
        for (var j = 0u; j < OUT_W; j++) {
            let x_value = x[X_BASE + (x_row + j * STRIDE_W) * IN_C + c];
            sum += x_value * dy[DY_BASE + (row * OUT_W + j) * OUT_REALS + o];
        }
    }
    partial[PARTIAL_BASE + index] = sum;
}
