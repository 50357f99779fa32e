// import shared/linear_index.wgsl
// import shared/batch.wgsl
// import shared/first_maximum.wgsl
// import shared/one_column.wgsl

// sigmoid_cross_entropy, on logits, per row r < batch_size, with z = logits[r, c] and t = y_true[r, c]:
//   row_loss[r]    = (1/COLUMNS) sum_c max(z, 0) - z * t + ln(1 + exp(-|z|))
//   row_correct[r] = 1 where the first maximum of logits is that of y_true, else 0;
//                    of a single column, 1 where both or neither are true: its logit above 0, y_true above 1/2
//   dlogits[r, c]  = (1 / (1 + exp(-z)) - t) / (COLUMNS * divisor), with exp(-|z|), which cannot overflow
// Rows past the batch's size give 0 everywhere.
// One invocation per row.
//
// logits, y_true, dlogits [ROWS, COLUMNS]
// row_loss, row_correct   [ROWS]

@group(0) @binding(0) var<storage, read> logits: array<f32>;
@group(0) @binding(1) var<storage, read> y_true: array<f32>;
@group(0) @binding(2) var<storage, read_write> row_loss: array<f32>;
@group(0) @binding(3) var<storage, read_write> row_correct: array<u32>;
@group(0) @binding(4) var<storage, read_write> dlogits: array<f32>;

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
    let r = linear_index(group, local);
    if r >= INVOCATIONS {
        return;
    }
    let row = r * COLUMNS;
    let filled = r < batch.batch_size;
    let terms = f32(COLUMNS) * f32(batch.divisor);
    var predicted = opening(logits[LOGITS_BASE + row], 0.0);
    var wanted = opening(y_true[Y_TRUE_BASE + row], 0.5);
    var sum = 0.0;
    for (var c = 0u; c < COLUMNS; c++) {
        let z = logits[LOGITS_BASE + row + c];
        let t = y_true[Y_TRUE_BASE + row + c];
        predicted = better(predicted, z, c);
        wanted = better(wanted, t, c);
        let e = exp(-abs(z));
        sum += max(z, 0.0) - z * t + log(1.0 + e);
        let p = select(e, 1.0, z >= 0.0) / (1.0 + e);
        dlogits[DLOGITS_BASE + row + c] = select(0.0, (p - t) / terms, filled);
    }
    row_loss[ROW_LOSS_BASE + r] = select(0.0, sum / f32(COLUMNS), filled);
    row_correct[ROW_CORRECT_BASE + r] = select(0u, 1u, filled && predicted.place == wanted.place);
}
