// import shared/batch.wgsl
// import shared/row_loss.wgsl

// dense_softmax_cross_entropy: the last layer of a classifier in training, both ways, with the loss between them. With
// logits[r, c] = bias[c] + sum_t x[r, t] * kernel[t, c], over rows r < batch_size, m the row's maximum and
// s = sum_c exp(logits[r, c] - m):
//   loss[slot]     = (1/divisor) sum_{r, c} one_hot[r, c] * (ln s - (logits[r, c] - m))
//   correct[slot]  = number of rows in which the first maximum of logits is that of one_hot
//   d[r, c]        = (exp(logits[r, c] - m) / s - one_hot[r, c]) / divisor, and 0 in the rows past the batch's size
//   gradient[t, c] = sum_r x[r, t] * d[r, c], with a column of ones after the last of x, whose sums are the bias's
//   dx[r, t]       = sum_c d[r, c] * kernel[t, c], and 0 where x[r, t] <= 0 if x came out of ReLU
// One workgroup, in three phases: rows; the sums of loss and hits, pairwise, always alike; elements of gradient and dx.
//
// x, dx         [M, K]
// kernel        [K, N]
// bias          [N]
// one_hot       [M, N]
// gradient      [K + 1, N]
// loss, correct [_], of which only element `slot` is written

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> kernel: array<f32>;
@group(0) @binding(2) var<storage, read> bias: array<f32>;
@group(0) @binding(3) var<storage, read> one_hot: array<f32>;
@group(0) @binding(4) var<storage, read_write> gradient: array<f32>;
@group(0) @binding(5) var<storage, read_write> dx: array<f32>;
@group(0) @binding(6) var<storage, read_write> loss: array<f32>;
@group(0) @binding(7) var<storage, read_write> correct: array<u32>;

// Logits first, then their gradient.
var<workgroup> d: array<f32, M * N>;
var<workgroup> losses: array<f32, WORKGROUP_SIZE>;
var<workgroup> hits: array<u32, WORKGROUP_SIZE>;

fn of_weight(index: u32) {
    let c = index % N;
    let t = index / N;
    var sum = 0.0;
    for (var r = 0u; r < M; r++) {
        var factor = 1.0;
        if t < K {
            factor = x[X_BASE + r * K + t];
        }
        sum += factor * d[r * N + c];
    }
    gradient[GRADIENT_BASE + index] = sum;
}

fn of_input(index: u32) {
    let t = index % K;
    let r = index / K;
    var sum = 0.0;
    for (var c = 0u; c < N; c++) {
        sum += d[r * N + c] * kernel[KERNEL_BASE + t * N + c];
    }
    if RELU {
        sum = select(0.0, sum, x[X_BASE + index] > 0.0);
    }
    dx[DX_BASE + index] = sum;
}

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(local_invocation_index) local: u32) {
    var total = 0.0;
    var count = 0u;
    for (var r = local; r < M; r += WORKGROUP_SIZE) {
        let filled = r < batch.batch_size;
        for (var c = 0u; c < N; c++) {
            var sum = bias[BIAS_BASE + c];
            for (var t = 0u; t < K; t++) {
                sum += x[X_BASE + r * K + t] * kernel[KERNEL_BASE + t * N + c];
            }
            d[r * N + c] = select(0.0, sum, filled);
        }
        if filled {
            let row = row_loss(r, f32(batch.divisor));
            total += row.value;
            count += row.place;
        }
    }
    losses[local] = total;
    hits[local] = count;
    for (var half = WORKGROUP_SIZE / 2u; half > 0u; half /= 2u) {
        workgroupBarrier();
        if local < half {
            losses[local] += losses[local + half];
            hits[local] += hits[local + half];
        }
    }
    if local == 0u {
        loss[LOSS_BASE + batch.slot] = losses[0] / f32(batch.divisor);
        correct[CORRECT_BASE + batch.slot] = hits[0];
    }
    // The barriers above have made d known to all.
    for (var index = local; index < (K + 1u) * N; index += WORKGROUP_SIZE) {
        of_weight(index);
    }
    for (var index = local; index < M * K; index += WORKGROUP_SIZE) {
        of_input(index);
    }
}
