// import shared/linear_index.wgsl
// import shared/batch.wgsl

// weigh_rows, with w = weights[order[first + r]], for r < batch_size; rows past it stay:
//   row_loss[r] = row_loss[r] * w
//   dy[r, c]    = dy[r, c] * w
// One invocation per element of dy; that of a row's first takes its loss, too.
//
// weights  [samples]
// order    [_]
// row_loss [ROWS]
// dy       [ROWS, COLUMNS]

@group(0) @binding(0) var<storage, read> weights: array<f32>;
@group(0) @binding(1) var<storage, read> order: array<u32>;
@group(0) @binding(2) var<storage, read_write> row_loss: array<f32>;
@group(0) @binding(3) var<storage, read_write> dy: array<f32>;

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
    let index = linear_index(group, local);
    if index >= INVOCATIONS {
        return;
    }
    let r = index / COLUMNS;
    if r >= batch.batch_size {
        return;
    }
    let weight = weights[WEIGHTS_BASE + order[ORDER_BASE + batch.first + r]];
    dy[DY_BASE + index] *= weight;
    if index % COLUMNS == 0u {
        row_loss[ROW_LOSS_BASE + r] *= weight;
    }
}
