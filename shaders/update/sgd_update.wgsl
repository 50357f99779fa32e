// import shared/linear_index.wgsl
// import shared/batch.wgsl
// import shared/weight_decay.wgsl
// import shared/guarded.wgsl
// import shared/tripwire.wgsl

// sgd_update: w <- w - learning_rate * g, after weight decay (shared/weight_decay.wgsl), and unless the tripwire
// (shared/tripwire.wgsl) forbids it. One invocation per Real.
//
// gradient  [len]
// loss      [_], of which only element `slot` is read
// tripwire  [1]
// parameter [len]

@group(0) @binding(0) var<storage, read> gradient: array<Real>;
@group(0) @binding(1) var<storage, read> loss: array<f32>;
@group(0) @binding(2) var<storage, read_write> tripwire: array<atomic<u32>>;
@group(0) @binding(3) var<storage, read_write> parameter: array<Real>;

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
    let index = linear_index(group, local);
    if index >= INVOCATIONS || held() {
        return;
    }
    let g = gradient[GRADIENT_BASE + index];
    let before = parameter[PARAMETER_BASE + index];
    watch(g);
    parameter[PARAMETER_BASE + index] = followed(g, before, decayed(before) - batch.learning_rate * g);
    report();
}
