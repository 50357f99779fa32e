// import shared/linear_index.wgsl
// import shared/batch.wgsl

// gather_values: x[i, c] = values[order[first + i], c] for i < batch_size, else 0.
// One invocation per Real of x.
//
// values [samples, COLUMNS]
// order  [_]
// x      [BATCH, COLUMNS]

@group(0) @binding(0) var<storage, read> values: array<Real>;
@group(0) @binding(1) var<storage, read> order: array<u32>;
@group(0) @binding(2) var<storage, read_write> x: array<Real>;

const ROW_REALS = COLUMNS / WIDTH;

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
    let index = linear_index(group, local);
    if index >= INVOCATIONS {
        return;
    }
    let i = index / ROW_REALS;
    var value = Real();
    if i < batch.batch_size {
        let sample = order[ORDER_BASE + batch.first + i];
        value = values[VALUES_BASE + sample * ROW_REALS + index % ROW_REALS];
    }
    x[X_BASE + index] = value;
}
