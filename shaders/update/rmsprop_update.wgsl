// import shared/linear_index.wgsl
// import shared/batch.wgsl
// import shared/weight_decay.wgsl
// import shared/guarded.wgsl
// import shared/tripwire.wgsl
// import shared/rmsprop.wgsl
// import shared/rmsprop_in_place.wgsl

// rmsprop_update: RMSprop (shared/rmsprop.wgsl) over all weights but HOLE_LEN of them from HOLE_FIRST, which another step
// updates. One invocation per Real.
//
// gradient  [LEN]
// loss      [_], of which only element `slot` is read
// tripwire  [1]
// state     [slots, LEN]: v, then m when WITH_MOMENTUM, then a when CENTERED
// parameter [LEN]

@group(0) @binding(0) var<storage, read> gradient: array<Real>;
@group(0) @binding(1) var<storage, read> loss: array<f32>;
@group(0) @binding(2) var<storage, read_write> tripwire: array<atomic<u32>>;
@group(0) @binding(3) var<storage, read_write> state: array<Real>;
@group(0) @binding(4) var<storage, read_write> parameter: array<Real>;

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
    var index = linear_index(group, local);
    if index >= INVOCATIONS || held() {
        return;
    }
    if index >= HOLE_FIRST / WIDTH {
        index += HOLE_LEN / WIDTH;
    }
    update(gradient[GRADIENT_BASE + index], index);
    report();
}
