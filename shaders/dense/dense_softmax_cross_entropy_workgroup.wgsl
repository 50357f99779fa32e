// import shared/batch.wgsl
// import shared/row_loss.wgsl

// dense_softmax_cross_entropy over several workgroups, none of which waits for another: each computes the logits anew of all rows that
// it needs, and their gradient d. The first GRADIENT_GROUPS need all rows, for elements of `gradient`, and the first of them writes
// loss and correct; the others need some rows, for elements of dx. K is a multiple of 4.
//
// x, dx         [M, K]
// kernel        [K, N]
// bias          [N]
// one_hot       [M, N]
// gradient      [K + 1, N]
// loss, correct [_], of which only element `slot` is written

@group(0) @binding(0) var<storage, read> x: array<Real>;
@group(0) @binding(1) var<storage, read> kernel: array<f32>;
@group(0) @binding(2) var<storage, read> bias: array<f32>;
@group(0) @binding(3) var<storage, read> one_hot: array<f32>;
@group(0) @binding(4) var<storage, read_write> gradient: array<f32>;
@group(0) @binding(5) var<storage, read_write> dx: array<Real>;
@group(0) @binding(6) var<storage, read_write> loss: array<f32>;
@group(0) @binding(7) var<storage, read_write> correct: array<u32>;

const K_REALS = K / WIDTH;
// Invocations that share the columns of a row of logits, and columns of one of them.
const ROW_LANES = 4u;
const COLUMNS_HERE = (N + ROW_LANES - 1u) / ROW_LANES;
// Reals of `gradient`, each of WIDTH rows, the last with that of the bias alone; SHARES invocations share the rows of x for one.
const GRADIENT_REALS = (K_REALS + 1u) * N;
const SUMS_HERE = WORKGROUP_SIZE / SHARES;
const GRADIENT_GROUPS = (GRADIENT_REALS + SUMS_HERE - 1u) / SUMS_HERE;

var<workgroup> weights: array<f32, K * N>;
// Logits first, then their gradient.
var<workgroup> d: array<f32, M * N>;
var<workgroup> shares: array<Real, WORKGROUP_SIZE>;

// The sum of those whose place in the workgroup is the same but for multiples of `apart`, a power of two.
fn add_up(own: Real, local: u32, apart: u32) -> Real {
    // Until nobody reads the shares of another call.
    workgroupBarrier();
    shares[local] = own;
    for (var half = WORKGROUP_SIZE / 2u; half >= apart; half /= 2u) {
        workgroupBarrier();
        if local < half {
            shares[local] += shares[local + half];
        }
    }
    workgroupBarrier();
    return shares[local % apart];
}

// Some logits of a row.
fn logits(r: u32, lane: u32) {
    var sum: array<f32, COLUMNS_HERE>;
    for (var i = 0u; i < COLUMNS_HERE; i++) {
        sum[i] = bias[BIAS_BASE + min(lane + i * ROW_LANES, N - 1u)];
    }
    for (var t = 0u; t < K_REALS; t++) {
        let values = x[X_BASE + r * K_REALS + t];
        for (var i = 0u; i < COLUMNS_HERE; i++) {
            let place = t * WIDTH * N + min(lane + i * ROW_LANES, N - 1u);
            sum[i] += values.x * weights[place];
            sum[i] += values.y * weights[place + N];
            sum[i] += values.z * weights[place + 2u * N];
            sum[i] += values.w * weights[place + 3u * N];
        }
    }
    for (var i = 0u; i < COLUMNS_HERE; i++) {
        if lane + i * ROW_LANES < N {
            d[r * N + lane + i * ROW_LANES] = select(0.0, sum[i], r < batch.batch_size);
        }
    }
}

fn of_weights(number: u32, local: u32) {
    let index = number * SUMS_HERE + local % SUMS_HERE;
    let c = index % N;
    let t = index / N;
    var own = Real();
    for (var r = local / SUMS_HERE; r < M; r += SHARES) {
        let values = x[X_BASE + r * K_REALS + min(t, K_REALS - 1u)];
        own += select(Real(1.0, 0.0, 0.0, 0.0), values, t < K_REALS) * d[r * N + c];
    }
    let sum = add_up(own, local, SUMS_HERE);
    if local >= SUMS_HERE || index >= GRADIENT_REALS {
        return;
    }
    let place = GRADIENT_BASE + t * WIDTH * N + c;
    gradient[place] = sum.x;
    if t < K_REALS {
        gradient[place + N] = sum.y;
        gradient[place + 2u * N] = sum.z;
        gradient[place + 3u * N] = sum.w;
    }
}

fn of_inputs(index: u32) {
    if index >= M * K_REALS {
        return;
    }
    let r = index / K_REALS;
    let t = index % K_REALS * WIDTH * N;
    var sum = Real();
    for (var c = 0u; c < N; c++) {
        let of_kernel = Real(weights[t + c], weights[t + N + c], weights[t + 2u * N + c], weights[t + 3u * N + c]);
        sum += d[r * N + c] * of_kernel;
    }
    if RELU {
        sum = select(Real(), sum, x[X_BASE + index] > Real());
    }
    dx[DX_BASE + index] = sum;
}

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
    let number = group.x + group.y * GROUPS_X;
    // Of whole groups, so that all invocations of a group meet at its barriers.
    if number >= INVOCATIONS / WORKGROUP_SIZE {
        return;
    }
    let needs_all = number < GRADIENT_GROUPS;
    let first_input = (max(number, GRADIENT_GROUPS) - GRADIENT_GROUPS) * WORKGROUP_SIZE;
    let first = select(first_input / K_REALS, 0u, needs_all);
    let end = select(min(M, (first_input + WORKGROUP_SIZE - 1u) / K_REALS + 1u), M, needs_all);
    for (var i = local; i < K * N; i += WORKGROUP_SIZE) {
        weights[i] = kernel[KERNEL_BASE + i];
    }
    workgroupBarrier();
    for (var r = first + local / ROW_LANES; r < end; r += WORKGROUP_SIZE / ROW_LANES) {
        logits(r, local % ROW_LANES);
    }
    workgroupBarrier();
    var own = Real();
    for (var r = first + local; r < min(end, batch.batch_size); r += WORKGROUP_SIZE) {
        let row = row_loss(r, f32(batch.divisor));
        own += Real(row.value, f32(row.place), 0.0, 0.0);
    }
    workgroupBarrier();
    if !needs_all {
        of_inputs(first_input + local);
        return;
    }
    of_weights(number, local);
    if number == 0u {
        let total = add_up(own, local, 1u);
        if local == 0u {
            loss[LOSS_BASE + batch.slot] = total.x / f32(batch.divisor);
            correct[CORRECT_BASE + batch.slot] = u32(total.y);
        }
    }
}
