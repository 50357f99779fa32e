// import shared/linear_index.wgsl
// import activations/{function}.wgsl

// activation_forward: y = activation(y) in place, by the function that the step names.
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
    y[Y_BASE + index] = activation(y[Y_BASE + index]);
}
