// import shared/linear_index.wgsl

// leaky_relu_backward: dy = dy where y > 0, else SLOPE * dy, in place; y is the layer's output, whose sign is its input's.
// One invocation per Real.
//
// y  [LEN]
// dy [LEN]

@group(0) @binding(0) var<storage, read> y: array<Real>;
@group(0) @binding(1) var<storage, read_write> dy: array<Real>;

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
    let index = linear_index(group, local);
    if index >= INVOCATIONS {
        return;
    }
    let gradient = dy[DY_BASE + index];
    dy[DY_BASE + index] = select(gradient, SLOPE * gradient, y[Y_BASE + index] <= Real());
}
