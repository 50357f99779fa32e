// import shared/batch.wgsl
// import shared/first_maximum.wgsl

// softmax_cross_entropy_metrics, on logits, over rows r < batch_size, with m the row's maximum and
// s = sum_c exp(logits[r, c] - m):
//   dlogits[r, c] = (exp(logits[r, c] - m) / s - one_hot[r, c]) / divisor, and 0 in the rows past the batch's size
//   loss[slot]    = (1/divisor) sum_{r, c} one_hot[r, c] * (ln s - (logits[r, c] - m))
//   correct[slot] = number of rows in which the first maximum of logits is that of one_hot
// One workgroup: each invocation takes every WORKGROUP_SIZE-th row, then the sums are added pairwise, always alike.
//
// logits, one_hot, dlogits [ROWS, COLUMNS]
// loss, correct            [_], of which only element `slot` is written

@group(0) @binding(0) var<storage, read> logits: array<f32>;
@group(0) @binding(1) var<storage, read> one_hot: array<f32>;
@group(0) @binding(2) var<storage, read_write> dlogits: array<f32>;
@group(0) @binding(3) var<storage, read_write> loss: array<f32>;
@group(0) @binding(4) var<storage, read_write> correct: array<u32>;

var<workgroup> losses: array<f32, WORKGROUP_SIZE>;
var<workgroup> hits: array<u32, WORKGROUP_SIZE>;

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(local_invocation_index) local: u32) {
    let n = f32(batch.divisor);
    var total = 0.0;
    var count = 0u;
    for (var r = local; r < ROWS; r += WORKGROUP_SIZE) {
        let row = r * COLUMNS;
        let filled = r < batch.batch_size;
        var predicted = Best(logits[LOGITS_BASE + row], 0u);
        var wanted = Best(one_hot[ONE_HOT_BASE + row], 0u);
        for (var c = 1u; c < COLUMNS; c++) {
            predicted = better(predicted, logits[LOGITS_BASE + row + c], c);
            wanted = better(wanted, one_hot[ONE_HOT_BASE + row + c], c);
        }
        let m = predicted.value;
        var s = 0.0;
        for (var c = 0u; c < COLUMNS; c++) {
            s += exp(logits[LOGITS_BASE + row + c] - m);
        }
        let ln_s = log(s);
        var row_loss = 0.0;
        for (var c = 0u; c < COLUMNS; c++) {
            let z = logits[LOGITS_BASE + row + c] - m;
            let t = one_hot[ONE_HOT_BASE + row + c];
            row_loss += t * (ln_s - z);
            dlogits[DLOGITS_BASE + row + c] = select(0.0, (exp(z) / s - t) / n, filled);
        }
        total += select(0.0, row_loss, filled);
        count += select(0u, 1u, filled && predicted.place == wanted.place);
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
        loss[LOSS_BASE + batch.slot] = losses[0] / n;
        correct[CORRECT_BASE + batch.slot] = hits[0];
    }
}
