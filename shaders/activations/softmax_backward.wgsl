// import shared/linear_index.wgsl

// softmax_backward: dy[r, c] = y[r, c] * (dy[r, c] - sum_d dy[r, d] * y[r, d]) in place; y is the layer's output.
// One invocation per row.
//
// y  [ROWS, COLUMNS]
// dy [ROWS, COLUMNS]

@group(0) @binding(0) var<storage, read> y: array<f32>;
@group(0) @binding(1) var<storage, read_write> dy: array<f32>;

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
    let r = linear_index(group, local);
    if r >= INVOCATIONS {
        return;
    }
    let row = r * COLUMNS;
    var s = 0.0;
    for (var c = 0u; c < COLUMNS; c++) {
        s += dy[DY_BASE + row + c] * y[Y_BASE + row + c];
    }
    for (var c = 0u; c < COLUMNS; c++) {
        dy[DY_BASE + row + c] = y[Y_BASE + row + c] * (dy[DY_BASE + row + c] - s);
    }
}
