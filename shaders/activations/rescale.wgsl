// import shared/linear_index.wgsl

// rescale: y = x * SCALE + OFFSET, element by element.
// One invocation per Real.
//
// x [LEN]
// y [LEN]

@group(0) @binding(0) var<storage, read> x: array<Real>;
@group(0) @binding(1) var<storage, read_write> y: array<Real>;

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
    let index = linear_index(group, local);
    if index >= INVOCATIONS {
        return;
    }
    y[Y_BASE + index] = x[X_BASE + index] * SCALE + OFFSET;
}
