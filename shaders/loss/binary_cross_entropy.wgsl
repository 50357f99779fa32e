// import shared/linear_index.wgsl
// import shared/batch.wgsl
// import shared/first_maximum.wgsl
// import shared/one_column.wgsl

// binary_cross_entropy of outputs taken as probabilities, per row r < batch_size, with p[c] = clamp(y[r, c], LEAST, LARGEST):
//   row_loss[r]    = -(1/COLUMNS) sum_c y_true[r, c] * ln p[c] + (1 - y_true[r, c]) * ln(1 - p[c])
//   row_correct[r] = 1 where the first maximum of y is that of y_true, else 0;
//                    of a single column, 1 where both or neither are above 1/2
//   dy[r, c]       = (p[c] - y_true[r, c]) / (p[c] * (1 - p[c]) * COLUMNS * divisor), or 0 where y[r, c] is clamped
// Rows past the batch's size give 0 everywhere.
// One invocation per row.
//
// y, y_true, dy         [ROWS, COLUMNS]
// row_loss, row_correct [ROWS]

@group(0) @binding(0) var<storage, read> y: array<f32>;
@group(0) @binding(1) var<storage, read> y_true: array<f32>;
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
    let terms = f32(COLUMNS) * f32(batch.divisor);
    var predicted = opening(y[Y_BASE + row], 0.5);
    var wanted = opening(y_true[Y_TRUE_BASE + row], 0.5);
    var sum = 0.0;
    for (var c = 0u; c < COLUMNS; c++) {
        let value = y[Y_BASE + row + c];
        let t = y_true[Y_TRUE_BASE + row + c];
        predicted = better(predicted, value, c);
        wanted = better(wanted, t, c);
        // Written with comparisons so that a NaN stays one.
        let above = select(value, LEAST, value < LEAST);
        let p = select(above, LARGEST, above > LARGEST);
        let clamped = value < LEAST || value > LARGEST;
        sum -= t * log(p) + (1.0 - t) * log(1.0 - p);
        let slope = select((p - t) / (p * (1.0 - p)), 0.0, clamped);
        dy[DY_BASE + row + c] = select(0.0, slope / terms, filled);
    }
    row_loss[ROW_LOSS_BASE + r] = select(0.0, sum / f32(COLUMNS), filled);
    row_correct[ROW_CORRECT_BASE + r] = select(0u, 1u, filled && predicted.place == wanted.place);
}
