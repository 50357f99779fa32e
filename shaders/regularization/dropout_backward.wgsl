// import shared/linear_index.wgsl
// import shared/batch.wgsl
// import shared/philox.wgsl
// import shared/draws_{scalar,vec4}.wgsl
// import shared/dropout.wgsl

// dropout_backward: the gradient of dropout_forward in place: dy = dy * SCALE where the forward step kept the element, else
// 0. The draws are made again, so that no mask is stored.
// One invocation per Real.
//
// dy [LEN]

@group(0) @binding(0) var<storage, read_write> dy: array<Real>;

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
    let index = linear_index(group, local);
    if index >= INVOCATIONS {
        return;
    }
    dy[DY_BASE + index] = with_dropout(dy[DY_BASE + index], index);
}
