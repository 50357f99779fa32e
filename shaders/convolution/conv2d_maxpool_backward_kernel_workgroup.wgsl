// import shared/winners_{scalar,vec4}.wgsl

// conv2d_maxpool_backward_kernel, by a workgroup for each part, Real of channels and range of ROWS_HERE rows of the gradient: its
// invocations share the windows of the part, each with sums of all these rows, and add them up in two rounds, always alike.
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
const RANGES = (ROWS + ROWS_HERE - 1u) / ROWS_HERE;
// Invocations that add up one row in the first round.
const ADDERS = 4u;

var<workgroup> shares: array<Real, ROWS_HERE * WORKGROUP_SIZE>;

// What a tap sees from this pixel of x on; 1 for the bias.
fn factor(pixel: u32, tap: u32) -> f32 {
    let c = tap % IN_C;
    let q = tap / IN_C % KERNEL_W;
    let p = tap / (IN_C * KERNEL_W);
    let place = (pixel + p * IN_W + q) * IN_C + c;
    return select(1.0, x[X_BASE + select(0u, place, tap < BIAS_ROW)], tap < BIAS_ROW);
}

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
    let number = group.x + group.y * GROUPS_X;
    // Of whole groups, so that all invocations of a group meet at its barriers.
    if number >= INVOCATIONS / WORKGROUP_SIZE {
        return;
    }
    let o = number % REALS;
    let first_row = number / REALS % RANGES * ROWS_HERE;
    let part = number / (REALS * RANGES);
    let first = part * TERMS_PER_PART;
    let end = min(first + TERMS_PER_PART, TERMS) * OUT_W;
    var sum: array<Real, ROWS_HERE>;
    for (var window = first * OUT_W + local; window < end; window += WORKGROUP_SIZE) {
        let j = window % OUT_W;
        let i = window / OUT_W % OUT_H;
        let n = window / (OUT_W * OUT_H);
        let gradient = dy[DY_BASE + window * REALS + o];
        let won = winners_in(winner[WINNER_BASE + window * REALS + o]);
        for (var element = 0u; element < POOL_H * POOL_W; element++) {
            let h = i * POOL_STRIDE_H + element / POOL_W;
            let w = j * POOL_STRIDE_W + element % POOL_W;
            let pixel = (n * IN_H + h * STRIDE_H) * IN_W + w * STRIDE_W;
            for (var r = 0u; r < ROWS_HERE; r++) {
                let product = factor(pixel, min(first_row + r, BIAS_ROW)) * gradient;
                sum[r] += select(Real(), product, won == Index(element));
            }
        }
    }
    for (var r = 0u; r < ROWS_HERE; r++) {
        shares[r * WORKGROUP_SIZE + local] = sum[r];
    }
    workgroupBarrier();
    for (var r = local / ADDERS; r < ROWS_HERE; r += WORKGROUP_SIZE / ADDERS) {
        var total = Real();
        for (var other = local % ADDERS; other < WORKGROUP_SIZE; other += ADDERS) {
            total += shares[r * WORKGROUP_SIZE + other];
        }
        // Read by nobody else.
        shares[r * WORKGROUP_SIZE + local % ADDERS] = total;
    }
    workgroupBarrier();
    for (var r = local; r < min(ROWS_HERE, ROWS - first_row); r += WORKGROUP_SIZE) {
        var total = Real();
        for (var adder = 0u; adder < ADDERS; adder++) {
            total += shares[r * WORKGROUP_SIZE + adder];
        }
        partial[PARTIAL_BASE + (part * ROWS + first_row + r) * REALS + o] = total;
    }
}
