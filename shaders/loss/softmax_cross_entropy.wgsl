// import shared/{alone,together}.wgsl
// import shared/{alone,together}_best.wgsl
// import shared/batch.wgsl

// softmax_cross_entropy, on logits, per row r < batch_size, with m the row's maximum and s = sum_c exp(logits[r, c] - m):
//   row_loss[r]    = sum_c one_hot[r, c] * (ln s - (logits[r, c] - m))
//   row_correct[r] = 1 where the first maximum of logits is that of one_hot, else 0
//   dlogits[r, c]  = (exp(logits[r, c] - m) / s - one_hot[r, c]) / divisor
// Rows past the batch's size give 0 everywhere.
// Two maxima and two sums per row (shared/alone.wgsl, shared/together.wgsl).
//
// logits, one_hot, dlogits [ROWS, COLUMNS]
// row_loss, row_correct    [ROWS]

@group(0) @binding(0) var<storage, read> logits: array<f32>;
@group(0) @binding(1) var<storage, read> one_hot: array<f32>;
@group(0) @binding(2) var<storage, read_write> row_loss: array<f32>;
@group(0) @binding(3) var<storage, read_write> row_correct: array<u32>;
@group(0) @binding(4) var<storage, read_write> dlogits: array<f32>;

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
    let r = sum_of(group, local);
    if is_idle(r) {
        return;
    }
    let row = r * COLUMNS;
    let filled = r < batch.batch_size;
    let first = share_of(local);
    var predicted = Best(logits[LOGITS_BASE + row + first], first);
    var wanted = Best(one_hot[ONE_HOT_BASE + row + first], first);
    for (var c = first + SHARES; c < COLUMNS; c += SHARES) {
        predicted = better(predicted, logits[LOGITS_BASE + row + c], c);
        wanted = better(wanted, one_hot[ONE_HOT_BASE + row + c], c);
    }
    predicted = together_best(predicted, local);
    wanted = together_best(wanted, local);
    let m = predicted.value;
    var s = 0.0;
    for (var c = first; c < COLUMNS; c += SHARES) {
        s += exp(logits[LOGITS_BASE + row + c] - m);
    }
    s = together(s, local);
    let ln_s = log(s);
    let n = f32(batch.divisor);
    var loss = 0.0;
    for (var c = first; c < COLUMNS; c += SHARES) {
        let z = logits[LOGITS_BASE + row + c] - m;
        let t = one_hot[ONE_HOT_BASE + row + c];
        loss += t * (ln_s - z);
        if writes_share(group, local) {
            dlogits[DLOGITS_BASE + row + c] = select(0.0, (exp(z) / s - t) / n, filled);
        }
    }
    loss = together(loss, local);
    if writes_sum(group, local) {
        row_loss[ROW_LOSS_BASE + r] = select(0.0, loss, filled);
        row_correct[ROW_CORRECT_BASE + r] = select(0u, 1u, filled && predicted.place == wanted.place);
    }
}
