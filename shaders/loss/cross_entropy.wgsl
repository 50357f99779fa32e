// import shared/linear_index.wgsl
// import shared/batch.wgsl
// import shared/first_maximum.wgsl
// import shared/one_column.wgsl

// cross_entropy of outputs taken as probabilities, per row r < batch_size, with s = sum_c y[r, c] and q[c] = y[r, c] / s:
//   row_loss[r]    = -sum_c one_hot[r, c] * ln(clamp(q[c], LEAST, LARGEST))
//   row_correct[r] = 1 where the first maximum of y is that of one_hot, else 0;
//                    of a single column, 1 where both or neither are above 1/2
//   dy[r, c]       = (T - one_hot[r, c] / q[c]) / (s * divisor), without the quotient where q[c] is clamped,
//                    T = sum of one_hot[r, c] over those c where it is not
// Rows past the batch's size give 0 everywhere.
// One invocation per row.
//
// y, one_hot, dy        [ROWS, COLUMNS]
// row_loss, row_correct [ROWS]

@group(0) @binding(0) var<storage, read> y: array<f32>;
@group(0) @binding(1) var<storage, read> one_hot: array<f32>;
@group(0) @binding(2) var<storage, read_write> row_loss: array<f32>;
@group(0) @binding(3) var<storage, read_write> row_correct: array<u32>;
@group(0) @binding(4) var<storage, read_write> dy: array<f32>;

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
    let r = linear_index(group, local);
    if r >= INVOCATIONS {
        return;
    }
    let row = r * COLUMNS;
    let filled = r < batch.batch_size;
    var predicted = opening(y[Y_BASE + row], 0.5);
    var wanted = opening(one_hot[ONE_HOT_BASE + row], 0.5);
    var s = 0.0;
    for (var c = 0u; c < COLUMNS; c++) {
        predicted = better(predicted, y[Y_BASE + row + c], c);
        wanted = better(wanted, one_hot[ONE_HOT_BASE + row + c], c);
        s += y[Y_BASE + row + c];
    }
    var loss = 0.0;
    var free_targets = 0.0;
    for (var c = 0u; c < COLUMNS; c++) {
        let q = y[Y_BASE + row + c] / s;
        let t = one_hot[ONE_HOT_BASE + row + c];
        // Written with comparisons so that a NaN stays one.
        let above = select(q, LEAST, q < LEAST);
        loss -= t * log(select(above, LARGEST, above > LARGEST));
        free_targets += select(0.0, t, q >= LEAST && q <= LARGEST);
    }
    let scale = s * f32(batch.divisor);
    for (var c = 0u; c < COLUMNS; c++) {
        let q = y[Y_BASE + row + c] / s;
        let free = q >= LEAST && q <= LARGEST;
        let quotient = select(0.0, one_hot[ONE_HOT_BASE + row + c] / q, free);
        dy[DY_BASE + row + c] = select(0.0, (free_targets - quotient) / scale, filled);
    }
    row_loss[ROW_LOSS_BASE + r] = select(0.0, loss, filled);
    row_correct[ROW_CORRECT_BASE + r] = select(0u, 1u, filled && predicted.place == wanted.place);
}
