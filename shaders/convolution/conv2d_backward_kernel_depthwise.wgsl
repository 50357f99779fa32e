// import shared/{alone,together}.wgsl

// conv2d_backward_kernel where each channel is a group of its own:
// dkernel[p, q, 0, c] = sum_{n, i, j} x[n, i*sh + p*dh, j*sw + q*dw, c] * dy[n, i, j, c], in parts: partial[s] sums the s-th
// range of TERMS_PER_PART output rows (n, i).
// One sum per part, tap and four channels (shared/alone.wgsl, shared/together.wgsl), which share rows.
//
// x       [BATCH, IN_H, IN_W, OUT_C]
// dy      [BATCH, OUT_H, OUT_W, OUT_C]
// partial [PARTS, KERNEL_H, KERNEL_W, 1, OUT_C]

@group(0) @binding(0) var<storage, read> x: array<Real>;
@group(0) @binding(1) var<storage, read> dy: array<Real>;
@group(0) @binding(2) var<storage, read_write> partial: array<Real>;

const REALS = OUT_C / WIDTH;

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
    let index = sum_of(group, local);
    if is_idle(index) {
        return;
    }
    let c = index % REALS;
    let q = index / REALS % KERNEL_W;
    let p = index / (REALS * KERNEL_W) % KERNEL_H;
    let part = index / (REALS * KERNEL_W * KERNEL_H);
    let first = part * TERMS_PER_PART;
    let end = min(first + TERMS_PER_PART, TERMS);
    var sum = Real();
    for (var row = first + share_of(local); row < end; row += SHARES) {
        let x_row = (row / OUT_H * IN_H + row % OUT_H * STRIDE_H + p * DILATION_H) * IN_W + q * DILATION_W;
        for (var j = 0u; j < OUT_W; j++) {
            sum += x[X_BASE + (x_row + j * STRIDE_W) * REALS + c] * dy[DY_BASE + (row * OUT_W + j) * REALS + c];
        }
    }
    sum = together(sum, local);
    if writes_sum(group, local) {
        partial[PARTIAL_BASE + index] = sum;
    }
}
