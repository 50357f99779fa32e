// import shared/linear_index.wgsl
// import shared/winners_{scalar,vec4}.wgsl

// conv2d_maxpool_backward_kernel: gradients of kernel and bias, from the winners of the windows alone. With (h, w) the
// output of the convolution that won window (n, i, j) of channel o:
// dkernel[p, q, c, o] = sum_{n, i, j} x[n, h*sh + p, w*sw + q, c] * dy[n, i, j, o];  dbias[o] = sum_{n, i, j} dy[n, i, j, o],
// over the windows that have a winner; in parts over ranges of rows (n, i), added up by sum_partials.
// One invocation per part, row of the gradient (the bias is the last) and Real of channels.
//
// x       [BATCH, IN_H, IN_W, IN_C]
// dy      [BATCH, OUT_H, OUT_W, OUT_C]
// winner  [BATCH, OUT_H, OUT_W, OUT_C], as words of WIDTH winners each
// partial [PARTS, KERNEL_H * KERNEL_W * IN_C + 1, OUT_C]

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> dy: array<Real>;
@group(0) @binding(2) var<storage, read> winner: array<u32>;
@group(0) @binding(3) var<storage, read_write> partial: array<Real>;

const REALS = OUT_C / WIDTH;
const BIAS_ROW = KERNEL_H * KERNEL_W * IN_C;
const ROWS = BIAS_ROW + 1u;

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
    let index = linear_index(group, local);
    if index >= INVOCATIONS {
        return;
    }
    let o = index % REALS;
    let tap = index / REALS % ROWS;
    let c = tap % IN_C;
    let q = tap / IN_C % KERNEL_W;
    let p = tap / (IN_C * KERNEL_W);
    let first = index / (REALS * ROWS) * TERMS_PER_PART;
    let end = min(first + TERMS_PER_PART, TERMS);
    var sum = Real();
    for (var row = first; row < end; row++) {
        let n = row / OUT_H;
        let i = row % OUT_H;
        for (var j = 0u; j < OUT_W; j++) {
            let window = (row * OUT_W + j) * REALS + o;
            let gradient = dy[DY_BASE + window];
            let won = winners_in(winner[WINNER_BASE + window]);
            for (var element = 0u; element < POOL_H * POOL_W; element++) {
                let h = i * POOL_STRIDE_H + element / POOL_W;
                let w = j * POOL_STRIDE_W + element % POOL_W;
                var factor = 1.0;
                if tap != BIAS_ROW {
                    factor = x[X_BASE + ((n * IN_H + h * STRIDE_H + p) * IN_W + w * STRIDE_W + q) * IN_C + c];
                }
                sum += select(Real(), factor * gradient, won == Index(element));
            }
        }
    }
    partial[PARTIAL_BASE + index] = sum;
}
