// import shared/linear_index.wgsl
// import activations/{function}.wgsl

// activation_backward: dy = activation_gradient(at, dy) in place, by the function that the step names. Its file says whether `at`
// holds what went into the function or what came out of it.
// One invocation per Real.
//
// at [LEN]
// dy [LEN]

@group(0) @binding(0) var<storage, read> at: array<Real>;
@group(0) @binding(1) var<storage, read_write> dy: array<Real>;

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
    let index = linear_index(group, local);
    if index >= INVOCATIONS {
        return;
    }
    dy[DY_BASE + index] = activation_gradient(at[AT_BASE + index], dy[DY_BASE + index]);
}
