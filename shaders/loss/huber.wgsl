// import shared/linear_index.wgsl
// import shared/batch.wgsl
// import shared/first_maximum.wgsl
// import shared/one_column.wgsl

// huber, per row r < batch_size, with d[c] = y[r, c] - y_true[r, c]:
//   row_loss[r]    = (1/COLUMNS) sum_c of d[c]^2 / 2 where |d[c]| <= DELTA, else of DELTA * (|d[c]| - DELTA / 2)
//   row_correct[r] = 1 where the first maximum of y is that of y_true, else 0;
//                    of a single column, 1 where both or neither are above 1/2
//   dy[r, c]       = min(max(d[c], -DELTA), DELTA) / (COLUMNS * divisor)
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
        let d = value - t;
        // Written with comparisons so that a NaN stays one.
        let slope = select(select(d, DELTA, d > DELTA), -DELTA, d < -DELTA);
        let is_far = abs(d) > DELTA;
        sum += select(0.5 * d * d, DELTA * (abs(d) - 0.5 * DELTA), is_far);
        dy[DY_BASE + row + c] = select(0.0, slope / terms, filled);
    }
    row_loss[ROW_LOSS_BASE + r] = select(0.0, sum / f32(COLUMNS), filled);
    row_correct[ROW_CORRECT_BASE + r] = select(0u, 1u, filled && predicted.place == wanted.place);
}
