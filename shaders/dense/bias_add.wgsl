// import shared/linear_index.wgsl

// bias_add: y[r, c] += bias[c].
// One invocation per Real of y.
//
// bias [COLUMNS]
// y    [ROWS, COLUMNS]

@group(0) @binding(0) var<storage, read> bias: array<Real>;
@group(0) @binding(1) var<storage, read_write> y: array<Real>;

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
    let index = linear_index(group, local);
    if index >= INVOCATIONS {
        return;
    }
    y[Y_BASE + index] += bias[BIAS_BASE + index % (COLUMNS / WIDTH)];
}
