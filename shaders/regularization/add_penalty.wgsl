// import shared/linear_index.wgsl
// import shared/batch.wgsl

// add_penalty: loss[slot] <- loss[slot] + penalty. One invocation.
//
// penalty [1]
// loss    [_], of which only element `slot` changes

@group(0) @binding(0) var<storage, read> penalty: array<f32>;
@group(0) @binding(1) var<storage, read_write> loss: array<f32>;

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
    let index = linear_index(group, local);
    if index >= INVOCATIONS {
        return;
    }
    loss[LOSS_BASE + batch.slot] += penalty[PENALTY_BASE];
}
