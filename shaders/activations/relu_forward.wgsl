// import shared/linear_index.wgsl

// relu_forward: y = max(y, 0) in place. Written with a comparison so that a NaN stays one.
// One invocation per Real.
//
// y [LEN]

@group(0) @binding(0) var<storage, read_write> y: array<Real>;

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
    let index = linear_index(group, local);
    if index >= INVOCATIONS {
        return;
    }
    let value = y[Y_BASE + index];
    y[Y_BASE + index] = select(value, Real(), value <= Real());
}
