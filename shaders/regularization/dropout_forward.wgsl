// import shared/linear_index.wgsl
// import shared/batch.wgsl
// import shared/philox.wgsl
// import shared/draws_{scalar,vec4}.wgsl
// import shared/dropout.wgsl

// dropout_forward: in training, y = x * SCALE where the element's draw keeps it, else 0; otherwise y = x.
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
    y[Y_BASE + index] = with_dropout(x[X_BASE + index], index);
}
