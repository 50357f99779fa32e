// import shared/linear_index.wgsl

// sigmoid_forward: y = 1 / (1 + exp(-y)) in place. Written with exp(-|y|), which is at most 1 and never overflows.
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
    let e = exp(-abs(value));
    y[Y_BASE + index] = select(e, Real(1.0), value >= Real()) / (1.0 + e);
}
